// How the sanitizers behave in every executable of a sanitized build.
//
// These settings are linked in rather than left to the tests' environment: a scenario is also run
// by hand, and a task may run in an environment that somebody cleared. They end in abort(), because
// the sanitizers' own exit code, 1, is also the command's word for "a violation was found", and a
// test that waits for that 1 would take a heap overflow for it. ASAN_OPTIONS and UBSAN_OPTIONS
// still override them. Leaks are looked for, which is ASan's default.

#include <unistd.h>

namespace {

const pid_t program = getpid();

}  // namespace

extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:strict_string_checks=1:check_initialization_order=1";
}

extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1:halt_on_error=1:print_stacktrace=1";
}

// A forked child holds what its parent still uses, so only the program itself looks for leaks. In a
// task that calls exit() the search would also wait, in real time, for a helper thread: by way of
// sched_yield, which Forkloom intercepts and counts as steps without progress.
extern "C" int __lsan_is_turned_off() { return getpid() == program ? 0 : 1; }
