#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/integration/semantics/both.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;

struct memory : notes {};

constexpr std::size_t page = 4096;

}  // namespace

TEST_CASE("a shared memory object is made once, mapped, grown, and gone after it was unlinked") {
  const auto seen = both<memory>({[](memory& w) {
    const char* name = "/forkloom-semantics-shm";
    w.note_error(0, shm_open(name, O_RDWR, 0));
    const auto fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    w.note(1, fd >= 0);
    w.note_error(2, shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
    w.note_error(3, ftruncate(fd, 2 * page));
    auto* first = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    auto* second = mmap(nullptr, page, PROT_READ, MAP_SHARED, fd, 0);
    *static_cast<int*>(first) = 42;
    w.note(4, *static_cast<int*>(second));
    auto* grown = mremap(first, page, 2 * page, MREMAP_MAYMOVE);
    w.note(5, grown != MAP_FAILED && *static_cast<int*>(grown) == 42);
    w.note_error(6, munmap(grown, 2 * page));
    w.note_error(7, munmap(second, page));
    w.note_error(8, close(fd));
    w.note_error(9, shm_unlink(name));
    w.note_error(10, shm_unlink(name));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EEXIST);
  CHECK(seen[4] == 42);
  CHECK(seen[5] == 1);
  CHECK(seen[9] == 0);
  CHECK(seen[10] == ENOENT);
}

TEST_CASE("mapping refuses a bad descriptor and a crooked offset") {
  const auto seen = both<memory>({[](memory& w) {
    w.note(0, mmap(nullptr, page, PROT_READ, MAP_SHARED, -1, 0) == MAP_FAILED ? errno : 0);
    w.note(1, mmap(nullptr, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1) == MAP_FAILED
                  ? errno
                  : 0);
    w.note_error(2, munmap(nullptr, 0));
  }});
  CHECK(seen[0] == EBADF);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
}
