#include "framework/execution/watchdog.hpp"

#include <fmt/format.h>
#include <seccomp.h>
#include <time.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace forkloom::execution {
namespace {

std::uint64_t processor_time_ns(pid_t pid) {
  clockid_t clock{};
  timespec t{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &t) != 0) return 0;
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(t.tv_nsec);
}

// proc(5), syscall: "number arguments… sp pc", or "running".
std::string describe_system_call(pid_t thread) {
  std::ifstream in(fmt::format("/proc/{}/syscall", thread));
  std::string number;
  if (!(in >> number) || number == "running") return "an unknown place";
  std::string field;
  std::string pc;
  while (in >> field) pc = field;
  char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, std::atoi(number.c_str()));
  auto text = fmt::format("system call {} made at {}", name != nullptr ? name : number, pc);
  std::free(name);  // NOLINT: libseccomp says so
  return text;
}

// Is it asleep? proc(5), stat: the state is the letter after the name in parentheses.
bool sleeps(pid_t thread) {
  std::ifstream in(fmt::format("/proc/{}/stat", thread));
  std::string line;
  std::getline(in, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= line.size()) return false;
  const char state = line[name_end + 2];
  return state == 'S' || state == 'D' || state == 'T' || state == 't';
}

}  // namespace

void watchdog::begin_watch(std::uint64_t step, pid_t process, pid_t thread) {
  step_ = step;
  watched_ = thread;
  processor_ns_ = idle_ns_ = processor_time_ns(process);
  asleep_since_ = std::chrono::steady_clock::now();
}

std::optional<watchdog::verdict> watchdog::look(std::uint64_t step, pid_t process, pid_t thread) {
  if (process == 0 || thread == 0) return std::nullopt;
  if (thread != watched_ || step != step_) {
    begin_watch(step, process, thread);
    return std::nullopt;
  }
  const auto now_ns = processor_time_ns(process);
  if (now_ns - processor_ns_ >= static_cast<std::uint64_t>(limit_.count()))
    return verdict{ending::spinning, {}};
  const auto now = std::chrono::steady_clock::now();
  if (now_ns != idle_ns_ || !sleeps(thread)) {
    idle_ns_ = now_ns;
    asleep_since_ = now;
    return std::nullopt;
  }
  if (now - asleep_since_ >= limit_)
    return verdict{ending::uncontrolled, describe_system_call(thread)};
  return std::nullopt;
}

}  // namespace forkloom::execution
