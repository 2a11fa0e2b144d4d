#include "framework/execution/mailbox.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

bool is_still_the_mailbox(const mailbox& box) noexcept {
  struct stat status {};
  return sys::call(SYS_fstat, box.fd, sys::address(&status)) == 0 && status.st_dev == box.device &&
         status.st_ino == box.inode;
}

void write_letter(int fd) noexcept {
  const std::uint64_t one = 1;
  sys::call(SYS_write, fd, sys::address(&one), sizeof one);
}

}  // namespace

void place(mailbox& box, int fd) noexcept {
  struct stat status {};
  sys::call(SYS_fstat, fd, sys::address(&status));
  box.fd = fd;
  box.device = status.st_dev;
  box.inode = status.st_ino;
  name_own_descriptor(fd, box.path);
}

void ring(const mailbox& box) noexcept {
  if (is_still_the_mailbox(box)) return write_letter(box.fd);
  const auto fd = static_cast<int>(sys::call(SYS_openat, AT_FDCWD, sys::address(box.path.data()),
                                             O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (fd < 0) return;  // the controller looks by itself from time to time
  write_letter(fd);
  sys::call(SYS_close, fd);
}

void name_own_descriptor(int fd, std::array<char, 40>& path) noexcept {
  constexpr std::string_view folder = "/proc/";
  constexpr std::string_view descriptors = "/fd/";
  auto* const end = path.data() + path.size() - 1;
  auto* at = std::copy(folder.begin(), folder.end(), path.data());
  at = std::to_chars(at, end, sys::call(SYS_getpid)).ptr;
  at = std::copy(descriptors.begin(), descriptors.end(), at);
  at = std::to_chars(at, end, fd).ptr;
  *at = '\0';
}

}  // namespace forkloom::execution
