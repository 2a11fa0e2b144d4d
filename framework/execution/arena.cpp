#include "framework/execution/arena.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

constinit arena* the_arena = nullptr;

// The journal holds addresses within the arena, so it must lie at the same place in a program that
// a task executes, wherever the kernel puts that program's own things. Nothing else is at home
// here: programs and heaps lie below 0x600000000000 and above 0x550000000000, libraries and stacks
// above 0x7f0000000000, and no sanitizer's shadow reaches here. Tests map several arenas at a time.
constexpr std::uint64_t first_place = 0x2f00'0000'0000;
constexpr std::uint64_t place_distance = std::uint64_t{1} << 32;
constexpr std::uint64_t place_count = 16;
constexpr auto mapped_size =
    static_cast<long>((sizeof(arena) + page_size - 1) / page_size * page_size);
static_assert(first_place % fault_window == 0 && mapped_size < place_distance);

long map_at(int fd, std::uint64_t address) noexcept {
  const auto got =
      sys::call(SYS_mmap, static_cast<long>(address), mapped_size, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, fd, 0);
  // A kernel older than MAP_FIXED_NOREPLACE takes the address for a wish.
  if (got >= 0 && got != static_cast<long>(address)) {
    sys::call(SYS_munmap, got, mapped_size);
    return -EEXIST;
  }
  return got;
}

void reset_task(arena& a, std::size_t i) noexcept {
  auto& t = a.tasks[i];
  t.token.store(0, std::memory_order_relaxed);
  t.pid.store(0, std::memory_order_relaxed);
  t.tid.store(0, std::memory_order_relaxed);
  t.died.store(false, std::memory_order_relaxed);
  t.state = task_state::unused;
  t.cause = wake::retry;
  t.retryable = false;
  t.body_returned = false;
  t.process_ended = false;
  t.parent = no_task;
  t.process = no_task;
  t.pending = operation::none;
  t.pending_resource = no_resource;
  t.wait_status = 0;
  t.deadline_ns = no_deadline;
  t.writer = {};
  t.stopped = t.catches_signals = t.held = t.attention = t.mask_is_temporary = false;
  t.mask = 0;
  a.details[i].wait_count = 0;
  a.details[i].record = {};
  a.details[i].image = 0;
  a.details[i].random_count = 0;
  a.details[i].parent_death_signal = 0;
  a.details[i].spawn_outcome = task_details::spawn_pending;
  a.details[i].awaited_part = 0;
  a.details[i].thread = {};
  a.details[i].actions = {};
  a.details[i].awaited = a.details[i].own_mask = 0;
  a.details[i].death_due = 0;
  a.details[i].disturbed_at = no_resource;
  a.details[i].timeout_ignored = false;
  a.details[i].name[0] = '\0';
}

}  // namespace

void arena::reset() noexcept {
  for (std::uint32_t i = 0; i < schedule.task_count; ++i) reset_task(*this, i);
  schedule.enabled.clear();
  schedule.waiting_for_any.clear();
  schedule.watchers.clear();
  schedule.spinners.clear();
  schedule.running = no_task;
  schedule.living = 0;
  schedule.task_count = 0;
  schedule.step = 0;
  schedule.switches = 0;
  schedule.since_progress = 0;
  schedule.clock_ns = clock_start_ns;
  schedule.next_deadline_ns = no_deadline;
  schedule.hash = 0;
  schedule.choices_log2 = 0;
  schedule.stop_due = no_task;
  for (std::uint32_t i = 0; i < schedule.timer_count; ++i) timers[i] = {};
  schedule.timer_count = 0;
  schedule.ended.store(false, std::memory_order_relaxed);
  schedule.how = ending::finished;
  resources.reset();
  log.reset();
  nobody = {};
  stack_count = 0;
  failure_count = 0;
  named_range_count = 0;
  interest_count = 0;
  waiting_connection_count = 0;
  close_count = 0;
  uncontrolled_count = 0;
  programs.closed_count = 0;
  programs.module_count = 0;
}

arena* current_arena() noexcept { return the_arena; }
void set_current_arena(arena* value) noexcept { the_arena = value; }

arena* map_arena() noexcept {
  const auto fd =
      static_cast<int>(sys::call(SYS_memfd_create, sys::address("forkloom arena"), MFD_CLOEXEC));
  if (fd < 0) return nullptr;
  long got = -ENOMEM;
  if (sys::call(SYS_ftruncate, fd, mapped_size) == 0)
    for (std::uint64_t i = 0; i < place_count && got < 0; ++i)
      got = map_at(fd, first_place + i * place_distance);
  if (got < 0) {
    sys::call(SYS_close, fd);
    return nullptr;
  }
  auto* memory = reinterpret_cast<void*>(got);  // NOLINT: the kernel returns addresses as longs
  // The mapping is zeroed, and a member-wise construction would touch 150 MiB of it. What must not
  // be zero is set here and in reset(); the members are implicit-lifetime types or atomics.
  auto* made = static_cast<arena*>(memory);
  new (&made->config) settings{};
  new (&made->schedule) schedule_state{};
  new (&made->strategy) strategy::state{};
  new (&made->controller) mailbox{};
  made->programs.memory_fd = fd;
  name_own_descriptor(fd, made->programs.memory_path);
  new (&made->log) journal(made->log_pages);
  for (std::size_t i = 0; i < task_capacity; ++i) reset_task(*made, i);
  return made;
}

void unmap_arena(arena* value) noexcept {
  if (value == nullptr) return;
  sys::call(SYS_close, value->programs.memory_fd);
  sys::call(SYS_munmap, sys::address(value), mapped_size);
}

int attach_arena(const char* memory_path, std::uint64_t address) noexcept {
  const auto fd = static_cast<int>(
      sys::call(SYS_openat, AT_FDCWD, sys::address(memory_path), O_RDWR | O_CLOEXEC));
  if (fd < 0) return -fd;
  // Another /proc than the controller's has other files by that name.
  struct stat status {};
  const bool is_arena = sys::call(SYS_fstat, fd, sys::address(&status)) == 0 &&
                        status.st_size == static_cast<off_t>(mapped_size);
  const auto got = is_arena ? map_at(fd, address) : -long{ENOENT};
  sys::call(SYS_close, fd);
  if (got < 0) return static_cast<int>(-got);
  the_arena = reinterpret_cast<arena*>(got);  // NOLINT: an address from the kernel
  return 0;
}

}  // namespace forkloom::execution
