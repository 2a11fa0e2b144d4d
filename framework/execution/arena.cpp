#include "framework/execution/arena.hpp"

#include <sys/mman.h>

#include <new>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

constinit arena* the_arena = nullptr;

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
  a.details[i].wait_count = 0;
  a.details[i].record = {};
  a.details[i].awaited_part = 0;
  a.details[i].thread = {};
  a.details[i].name[0] = '\0';
}

}  // namespace

void arena::reset() noexcept {
  for (std::uint32_t i = 0; i < schedule.task_count; ++i) reset_task(*this, i);
  schedule.enabled.clear();
  schedule.waiting_for_any.clear();
  schedule.watchers.clear();
  schedule.running = no_task;
  schedule.living = 0;
  schedule.task_count = 0;
  schedule.step = 0;
  schedule.switches = 0;
  schedule.since_progress = 0;
  schedule.clock_ns = clock_start_ns;
  schedule.next_deadline_ns = no_deadline;
  schedule.hash = 0;
  schedule.ended.store(false, std::memory_order_relaxed);
  schedule.how = ending::finished;
  resources.reset();
  log.reset();
  nobody = {};
  stack_count = 0;
  failure_count = 0;
  named_range_count = 0;
  uncontrolled_count = 0;
  uncontrolled_call[0] = '\0';
}

arena* current_arena() noexcept { return the_arena; }
void set_current_arena(arena* value) noexcept { the_arena = value; }

arena* map_arena() noexcept {
  constexpr auto size = static_cast<long>((sizeof(arena) + page_size - 1) / page_size * page_size);
  constexpr auto window = static_cast<long>(fault_window);
  const auto got = sys::call(SYS_mmap, 0, size + window, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got < 0) return nullptr;
  // The slack on both sides of the first whole window goes back.
  const auto begin = (got + window - 1) / window * window;
  if (begin > got) sys::call(SYS_munmap, got, begin - got);
  if (const auto slack = got + window - begin; slack > 0)
    sys::call(SYS_munmap, begin + size, slack);
  auto* memory = reinterpret_cast<void*>(begin);  // NOLINT: the kernel returns addresses as longs
  // The mapping is zeroed, and a member-wise construction would touch 150 MiB of it. What must not
  // be zero is set here and in reset(); the members are implicit-lifetime types or atomics.
  auto* made = static_cast<arena*>(memory);
  new (&made->config) settings{};
  new (&made->schedule) schedule_state{};
  new (&made->strategy) strategy::state{};
  new (&made->controller) mailbox{};
  new (&made->log) journal(made->log_pages);
  for (std::size_t i = 0; i < task_capacity; ++i) reset_task(*made, i);
  return made;
}

void unmap_arena(arena* value) noexcept {
  if (value != nullptr) sys::call(SYS_munmap, sys::address(value), sizeof(arena));
}

}  // namespace forkloom::execution
