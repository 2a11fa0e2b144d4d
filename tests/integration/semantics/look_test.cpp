// Looks at names: they say what is there when they are made, and no more.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

void make(const char* path) { ::close(::open(path, O_CREAT | O_WRONLY, 0640)); }

TEST_CASE("each way of looking at a name says whether something is there, and what") {
  const auto seen = both<named>({[](named& w) {
    const auto* path = w.path.data();
    const auto look = [&](std::size_t slot) {
      struct stat status {};
      struct stat64 status64 {};
      struct statx more {};
      w.note_error(slot, ::access(path, R_OK));
      w.note_error(slot + 1, ::faccessat(AT_FDCWD, path, F_OK, AT_EACCESS));
      w.note_error(slot + 2, ::eaccess(path, W_OK) | ::euidaccess(path, W_OK));
      w.note(slot + 3, ::stat(path, &status) == 0 ? static_cast<long>(status.st_mode) : -errno);
      w.note(slot + 4, ::lstat(path, &status) == 0 ? static_cast<long>(status.st_mode) : -errno);
      w.note_error(slot + 5, ::fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW));
      w.note_error(slot + 6, ::stat64(path, &status64) | ::lstat64(path, &status64) |
                                 ::fstatat64(AT_FDCWD, path, &status64, 0));
      w.note(slot + 7, ::statx(AT_FDCWD, path, 0, STATX_MODE, &more) == 0
                           ? static_cast<long>(more.stx_mode)
                           : -errno);
    };
    look(0);
    make(path);
    look(8);
    w.note_error(16, ::access(path, X_OK));
    w.note_error(17, ::access("/dev/shm/no-such-folder/x", F_OK));
    w.note_error(18, ::access(path, 077));
    ::unlink(path);
  }});
  for (std::size_t i = 0; i < 8; ++i) CHECK(std::abs(seen[i]) == ENOENT);
  for (const std::size_t i : {8, 9, 10, 13, 14}) CHECK(seen[i] == 0);
  CHECK(S_ISREG(static_cast<mode_t>(seen[11])));
  CHECK(seen[11] == seen[12]);
  CHECK(seen[11] == seen[15]);
  CHECK(seen[16] == EACCES);
  CHECK(seen[17] == ENOENT);
  CHECK(seen[18] == EINVAL);
}

TEST_CASE("what system calls say of a name is what libc's functions say") {
  const auto seen = both<named>({[](named& w) {
    const auto* path = w.path.data();
    make(path);
    struct stat status {};
    struct statx more {};
    w.note_error(0, ::syscall(SYS_access, path, R_OK));
    w.note_error(1, ::syscall(SYS_faccessat, AT_FDCWD, path, R_OK));
    w.note_error(2, ::syscall(SYS_faccessat2, AT_FDCWD, path, R_OK, AT_EACCESS));
    w.note_error(3, ::syscall(SYS_stat, path, &status));
    w.note(4, status.st_mode);
    w.note_error(5, ::syscall(SYS_lstat, path, &status));
    w.note_error(6, ::syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0));
    w.note_error(7, ::syscall(SYS_statx, AT_FDCWD, path, 0, STATX_MODE, &more));
    ::unlink(path);
    w.note_error(8, ::syscall(SYS_access, path, R_OK));
    w.note_error(9, ::syscall(SYS_stat, path, &status));
  }});
  for (const std::size_t i : {0, 1, 2, 3, 5, 6, 7}) CHECK(seen[i] == 0);
  CHECK(S_ISREG(static_cast<mode_t>(seen[4])));
  CHECK(seen[8] == ENOENT);
  CHECK(seen[9] == ENOENT);
}

TEST_CASE("a look at a descriptor, or relative to one, is none at a name of the working folder") {
  const auto seen = both<named>({[](named& w) {
    make(w.path.data());
    const int folder = ::open("/dev/shm", O_PATH | O_DIRECTORY);
    const int file = ::open(w.path.data(), O_RDONLY);
    const auto* last = w.path.data() + std::string("/dev/shm/").size();
    struct stat status {};
    w.note_error(0, ::fstatat(folder, last, &status, 0));
    w.note_error(1, ::fstatat(file, "", &status, AT_EMPTY_PATH));
    w.note(2, status.st_mode);
    w.note_error(3, ::fstatat(file, last, &status, 0));
    w.note_error(4, ::faccessat(folder, last, F_OK, 0));
    ::unlink(w.path.data());
    w.note_error(5, ::fstatat(folder, last, &status, 0));
    ::close(file);
    ::close(folder);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(S_ISREG(static_cast<mode_t>(seen[2])));
  CHECK(seen[3] == ENOTDIR);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == ENOENT);
}

TEST_CASE("who looks for a name until it is there sees what another one has made") {
  const auto seen = both<named>({
      [](named& w) {
        struct stat status {};
        while (::stat(w.path.data(), &status) != 0) ::usleep(1000);
        w.note(0, S_ISREG(status.st_mode) ? 1 : 0);
        w.note_error(1, ::unlink(w.path.data()));
      },
      [](named& w) {
        make(w.path.data());
        while (::access(w.path.data(), F_OK) == 0) ::usleep(1000);
        w.note(2, errno);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == ENOENT);
}

TEST_CASE("a file at a name that is known opens as any other, and tells errors as any other") {
  const auto seen = both<named>({[](named& w) {
    const auto* path = w.path.data();
    w.note_error(0, ::open(path, O_RDONLY));
    make(path);
    const int file = ::open(path, O_RDWR);
    w.note(1, ::write(file, "x", 1));
    ::close(file);
    w.note_error(2, ::open(path, O_RDONLY | O_DIRECTORY));
    w.note_error(3, ::open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
    const int again = ::open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct stat status {};
    ::fstat(again, &status);
    w.note(4, status.st_size);
    ::close(again);
    ::unlink(path);
    w.note_error(5, ::open(path, O_RDWR));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == ENOTDIR);
  CHECK(seen[3] == EEXIST);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == ENOENT);
}

}  // namespace
