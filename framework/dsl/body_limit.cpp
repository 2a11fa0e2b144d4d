#include "framework/dsl/body_limit.hpp"

#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <system_error>

#include "framework/execution/sys.hpp"

namespace forkloom::detail {
namespace {

// The worker is the first process of its process namespace: signals that would end others do
// nothing to it, so it has to end itself. Its processes go with it.
void on_expiry(int /*signal*/) { execution::sys::call(SYS_exit_group, body_limit::exit_code); }

}  // namespace

body_limit::body_limit(std::chrono::milliseconds limit) : limit_(limit) {
  struct sigaction action {};
  action.sa_handler = on_expiry;
  ::sigaction(SIGXCPU, &action, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGXCPU;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0)
    throw std::system_error(errno, std::generic_category(), "timer_create");
}

body_limit::~body_limit() {
  ::timer_delete(timer_);
  ::signal(SIGXCPU, SIG_DFL);
}

void body_limit::set(std::chrono::milliseconds after) noexcept {
  itimerspec when{};
  when.it_value.tv_sec = after.count() / 1'000;
  when.it_value.tv_nsec = after.count() % 1'000 * 1'000'000;
  ::timer_settime(timer_, 0, &when, nullptr);
}

}  // namespace forkloom::detail
