// The length of files that are used as memory: truncate by path, fallocate, posix_fallocate.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <vector>

#include "tests/integration/memory/traced.hpp"
#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

constexpr std::size_t page = 4096;

// A file of two pages that both bodies map.
struct mapped_file : named {
  int fd = ::open(path.data(), O_RDWR | O_CREAT | O_TRUNC, 0600);

  mapped_file() { static_cast<void>(ftruncate(fd, 2 * page)); }
  ~mapped_file() { close(fd); }

  [[nodiscard]] volatile char* map() const {
    return static_cast<volatile char*>(
        mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  }
  [[nodiscard]] long length() const {
    struct stat status {};
    fstat(fd, &status);
    return status.st_size;
  }
};

// Of a child that reads there: the signal that ended it, or 0.
int signal_of_read(const volatile char* place) {
  const auto child = fork();
  if (child == 0) {
    signal(SIGBUS, SIG_DFL);
    static_cast<void>(*place);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a file is cut by its path, and whoever touches what is gone dies") {
  const auto seen = both<mapped_file>({[](mapped_file& w) {
                                        auto* all = w.map();
                                        all[page] = 7;
                                        w.note(0, signal_of_read(all + page));
                                        w.note_error(1, truncate(w.path.data(), page));
                                        w.note(2, w.length());
                                        w.note(3, signal_of_read(all));
                                        w.note(4, signal_of_read(all + page));
                                        w.note_error(5, truncate(w.path.data(), 2 * page));
                                        w.note(6, all[page]);
                                      }},
                                      deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == page);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == SIGBUS);
  CHECK(seen[6] == 0);
}

TEST_CASE("room for a file makes it longer unless its size is to be kept, and a hole is zeros") {
  const auto seen = both<mapped_file>({[](mapped_file& w) {
    auto* all = w.map();
    w.note_error(0, fallocate(w.fd, FALLOC_FL_KEEP_SIZE, 0, 4 * page));
    w.note(1, w.length());
    w.note_error(2, fallocate(w.fd, 0, 0, 3 * page));
    w.note(3, w.length());
    all[0] = 1;
    all[page] = 1;
    w.note_error(4, fallocate(w.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page, page));
    w.note(5, all[0]);
    w.note(6, all[page]);
    w.note(7, posix_fallocate(w.fd, 3 * page, page));
    w.note(8, w.length());
    w.note(9, posix_fallocate(w.fd, 0, page));  // is there already
    w.note(10, w.length());
  }});
  CHECK(seen[1] == 2 * page);
  CHECK(seen[3] == 3 * page);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == 0);
  CHECK(seen[8] == 4 * page);
  CHECK(seen[10] == 4 * page);
}

TEST_CASE("no length is given to what is not there, not a file, or not to be written") {
  const auto seen = both<mapped_file>({[](mapped_file& w) {
    static_cast<void>(w.map());
    w.note_error(0, truncate("/dev/shm/forkloom-nothing", 1));
    w.note_error(1, truncate("/dev/shm", 1));
    w.note_error(2, truncate(w.path.data(), -1));
    w.note_error(3, truncate(unseen(reinterpret_cast<const char*>(8)), 1));
    const auto reads_only = w.open(O_RDONLY);
    w.note_error(4, fallocate(reads_only, 0, 0, page));
    w.note_error(5, fallocate(w.fd, 0, 0, 0));
    w.note_error(6, fallocate(w.fd, FALLOC_FL_PUNCH_HOLE, 0, page));
    errno = 0;
    w.note(7, posix_fallocate(w.fd, -1, page));
    w.note(8, posix_fallocate(-1, 0, page));
    w.note(9, errno);
    w.note(10, w.length());
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == EISDIR);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EFAULT);
  CHECK(seen[4] == EBADF);
  CHECK(seen[5] == EINVAL);
  CHECK(seen[6] == EOPNOTSUPP);
  CHECK(seen[7] == EINVAL);
  CHECK(seen[8] == EBADF);
  CHECK(seen[10] == 2 * page);
}

TEST_CASE("a new length is an operation on a file that somebody maps, and on no other") {
  namespace testing = forkloom::testing;
  mapped_file file;
  const auto what = testing::trace_of({[&] {
    static_cast<void>(truncate(file.path.data(), page));  // nobody has mapped it yet
    static_cast<void>(file.map());
    static_cast<void>(truncate(file.path.data(), 1));
    static_cast<void>(truncate64(file.path.data(), 2));
    static_cast<void>(ftruncate(file.fd, 3));
    static_cast<void>(fallocate(file.fd, FALLOC_FL_KEEP_SIZE, 4, 5));
    static_cast<void>(posix_fallocate(file.fd, 6, 7));
    static_cast<void>(syscall(SYS_truncate, file.path.data(), 8L));
    static_cast<void>(syscall(SYS_fallocate, file.fd, 0L, 9L, 10L));
  }});
  CHECK(what.how == forkloom::ending::finished);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> lengths;
  for (const auto& e : what.events)
    if (e.op == forkloom::operation::truncate) lengths.emplace_back(e.before, e.after);
  CHECK(lengths == decltype(lengths){{0, 1}, {0, 2}, {0, 3}, {2, 9}, {1, 13}, {0, 8}, {1, 19}});
}
