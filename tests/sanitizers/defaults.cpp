// How the sanitizers behave in every executable of a sanitized build.
//
// These settings are linked in rather than left to the tests' environment: a scenario is also run
// by hand, and a task may run in an environment that somebody cleared. They end in abort(), because
// the sanitizers' own exit code, 1, is also the command's word for "a violation was found", and a
// test that waits for that 1 would take a heap overflow for it. ASAN_OPTIONS and UBSAN_OPTIONS
// still override them. Leaks are looked for, which is ASan's default.

extern "C" const char* __asan_default_options() {
  return "abort_on_error=1:strict_string_checks=1:check_initialization_order=1";
}

extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1:halt_on_error=1:print_stacktrace=1";
}
