// What ioctl tells of a pipe: how much is in it.
//
// Resource: the pipe.
// Blocks: nothing. Releases: nothing; it is an operation because others change the answer.
// Events: a poll whose result is the number of bytes.
// Async-signal-safe.
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdarg>

#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

// The x86-64 ABI passes an integer behind an ellipsis like any other, so the call may be a plain
// one.
constinit next<int(int, unsigned long, void*)> real_ioctl{"ioctl"};

int bytes_in_pipe(int fd, int* count, const void* site) noexcept {
  controlled_call call{operation::poll, resource_of(fd), site};
  if (real_ioctl(fd, FIONREAD, count) != 0) return call.failed(errno);
  call.completed_unchanged(*count);
  return 0;
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int ioctl(int fd, unsigned long request, ...) noexcept {  // NOLINT
  va_list arguments;
  va_start(arguments, request);
  auto* argument = va_arg(arguments, void*);  // NOLINT: ioctl() is variadic
  va_end(arguments);
  if (request != FIONREAD || !controlled() || !is_pipe(fd))
    return real_ioctl(fd, request, argument);
  return bytes_in_pipe(fd, static_cast<int*>(argument), __builtin_return_address(0));
}

}  // extern "C"
