#include "framework/intercept/socket_holders.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "framework/execution/arena.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/execution/open_descriptors.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;

// "/proc/<pid>/fd", and "/proc/<pid>/fd/<descriptor>".
class descriptor_path {
 public:
  explicit descriptor_path(pid_t pid) noexcept { add("/proc/", pid), add("/fd"); }
  descriptor_path(pid_t pid, int descriptor) noexcept : descriptor_path(pid) {
    add("/", descriptor);
  }
  [[nodiscard]] const char* text() const noexcept { return text_.data(); }

 private:
  void add(std::string_view word) noexcept { end_ = std::copy(word.begin(), word.end(), end_); }
  void add(std::string_view word, int number) noexcept {
    add(word);
    end_ = std::to_chars(end_, text_.data() + text_.size() - 1, number).ptr;
  }

  std::array<char, 40> text_{};
  char* end_ = text_.data();
};

bool is_behind(const descriptor_path& path, std::uint64_t object) noexcept {
  struct stat status {};
  return sys::call(SYS_stat, sys::address(path.text()), sys::address(&status)) == 0 &&
         execution::object_of(status.st_dev, status.st_ino) == object;
}

// Calls visit(pid, descriptor) for each one that a task has.
template <class Visit>
void for_each_holder(resource_id socket, Visit visit) noexcept {
  const auto& a = *execution::current_arena();
  const auto object = a.resources[socket].key.object;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto& t = a.tasks[i];
    const auto pid = t.pid.load(std::memory_order_relaxed);
    if (t.process != task_id(i) || t.process_ended || pid == 0) continue;
    execution::for_each_descriptor_in(descriptor_path(pid).text(), [&](int descriptor, int) {
      if (is_behind({pid, descriptor}, object)) visit(pid, descriptor);
    });
  }
}

int copy_of(pid_t pid, int descriptor) noexcept {
  const auto process = sys::call(SYS_pidfd_open, pid, 0);
  if (process < 0) return -1;
  const auto copy = sys::call(SYS_pidfd_getfd, process, descriptor, 0);
  sys::call(SYS_close, process);
  return static_cast<int>(std::max(copy, -1L));
}

}  // namespace

unsigned holders_of(resource_id socket) noexcept {
  unsigned count = 0;
  for_each_holder(socket, [&](pid_t, int) { ++count; });
  return count;
}

borrowed_socket::borrowed_socket(resource_id socket) noexcept {
  pid_t holder = 0;
  int held = -1;
  const auto self = static_cast<pid_t>(sys::call(SYS_getpid));
  for_each_holder(socket, [&](pid_t pid, int descriptor) {
    if (holder != self) holder = pid, held = descriptor;
  });
  is_copy_ = holder != self;
  descriptor_ = !is_copy_ ? held : holder != 0 ? copy_of(holder, held) : -1;
}

borrowed_socket::~borrowed_socket() {
  if (is_copy_ && descriptor_ >= 0) sys::call(SYS_close, descriptor_);
}

}  // namespace forkloom::intercept
