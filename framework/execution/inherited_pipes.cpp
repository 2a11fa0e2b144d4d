#include "framework/execution/inherited_pipes.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstddef>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

// The controller's own, private to its process.
struct descriptors {
  bool holding = false;
  std::size_t count = 0;
  std::array<int, 4096> fds{};
};
constinit descriptors held;

bool has_other_end(int fd) noexcept {
  struct stat status {};
  return sys::call(SYS_fstat, fd, sys::address(&status)) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

}  // namespace

void hold_inherited_pipes() noexcept {
  held.holding = true;
  held.count = 0;
}

void note_inherited_pipe(int descriptor) noexcept {
  if (held.holding && held.count < held.fds.size()) held.fds[held.count++] = descriptor;
}

void release_inherited_pipes() noexcept {
  held.holding = false;
  if (held.count == 0) return;
  const auto null = sys::call(SYS_openat, AT_FDCWD, sys::address("/dev/null"), O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (std::size_t i = 0; i < held.count; ++i)
    if (has_other_end(held.fds[i])) sys::call(SYS_dup3, null, held.fds[i], O_CLOEXEC);
  sys::call(SYS_close, null);
  held.count = 0;
}

}  // namespace forkloom::execution
