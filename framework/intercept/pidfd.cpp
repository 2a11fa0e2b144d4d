// Descriptors of processes: pidfd_open. Signals through them are sent by signal_send.cpp, and waits
// for the end of the process are those of poll and waitid.
//
// Resource: the descriptor's own. Blocks: nothing. Releases: nothing. No scheduling point: nobody
// could notice it. Async-signal-safe.
#include "framework/intercept/pidfd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/process.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<int(pid_t, unsigned)> real_open{"pidfd_open"};

// Called after the task.
resource_id named(int fd, pid_t pid) noexcept {
  auto& a = *execution::current_arena();
  const auto id = resource_of(fd);
  const auto task = task_of(pid);
  if (id == no_resource || task == no_task) return id;
  constexpr std::string_view what = "pidfd of ";
  const std::string_view name(a.details[index(task)].name.data());
  std::array<char, execution::resource_name_size> text{};
  auto* end = std::copy(what.begin(), what.end(), text.data());
  end = std::copy_n(name.begin(), std::min(name.size(), text.size() - what.size() - 1), end);
  a.resources.set_name(id, {text.data(), static_cast<std::size_t>(end - text.data())});
  return id;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pidfd_open(pid_t pid, unsigned flags) noexcept {
  const auto fd = real_open(pid, flags);
  const auto error = errno;
  if (!controlled()) return fd;
  auto call = controlled_call::silent(operation::open, fd < 0 ? no_resource : named(fd, pid),
                                      __builtin_return_address(0));
  return ended(call, fd, error);
}

}  // extern "C"
