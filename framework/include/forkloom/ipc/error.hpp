// How the handles tell of a failure.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace forkloom::ipc {

// Throws std::system_error with the error number `code`; `doing` says what failed and on what:
// "opening the FIFO /tmp/orders".
[[noreturn]] inline void fail(int code, const std::string& doing) {
  throw std::system_error(code, std::generic_category(), doing);
}

// Throws if a pthread function returned an error number.
inline void check(int code, const char* doing) {
  if (code != 0) fail(code, doing);
}

// Throws if a system call returned -1 and left the reason in errno; otherwise returns its result.
template <class Result>
Result check_call(Result result, const std::string& doing) {
  if (result == Result{-1}) fail(errno, doing);
  return result;
}

}  // namespace forkloom::ipc
