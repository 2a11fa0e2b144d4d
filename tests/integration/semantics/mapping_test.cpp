// Memory files and mappings: memfd_create, ftruncate, mmap of a file, mprotect, mremap, munmap.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

constexpr std::size_t page = 4096;

// What lies in a page that bodies map each for itself.
struct meeting {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int value;

  void make() {
    pthread_mutexattr_t m;
    pthread_mutexattr_init(&m);
    pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&lock, &m);
    pthread_condattr_t c;
    pthread_condattr_init(&c);
    pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&changed, &c);
    value = 0;
  }

  int await() {
    pthread_mutex_lock(&lock);
    while (value == 0) pthread_cond_wait(&changed, &lock);
    const auto found = value;
    pthread_mutex_unlock(&lock);
    return found;
  }

  void put(int what) {
    pthread_mutex_lock(&lock);
    value = what;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
  }
};

void* map(int fd, std::size_t size, int protection = PROT_READ | PROT_WRITE, off_t offset = 0) {
  return mmap(nullptr, size, protection, MAP_SHARED, fd, offset);
}

// A memory file of two pages, made before the bodies are forked; the second page is a meeting.
struct memory_file : notes, appointment {
  int fd = memfd_create("meeting", MFD_ALLOW_SEALING);

  memory_file() {
    static_cast<void>(ftruncate(fd, 2 * page));
    auto* place = map(fd, page, PROT_READ | PROT_WRITE, page);
    static_cast<meeting*>(place)->make();
    munmap(place, page);
  }
  ~memory_file() { close(fd); }
};

// A file with a name, which each body opens for itself.
struct named_file : named {
  named_file() {
    const auto fd = ::open(path.data(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    static_cast<void>(ftruncate(fd, 2 * page));
    auto* place = map(fd, page, PROT_READ | PROT_WRITE, page);
    static_cast<meeting*>(place)->make();
    munmap(place, page);
    close(fd);
  }
};

// Of a child that does this: the signal that ended it, or 0.
template <class Body>
int signal_that_ends(Body body) {
  const auto child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a memory file inherited by two processes is the same memory at different addresses") {
  const auto seen = both<memory_file>({
      [](memory_file& w) {
        auto* all = static_cast<char*>(map(w.fd, 2 * page));
        w.note(0, reinterpret_cast<meeting*>(all + page)->await());
        munmap(all, 2 * page);
      },
      [](memory_file& w) {
        auto* padding = map(w.fd, page);
        auto* place = static_cast<meeting*>(map(w.fd, page, PROT_READ | PROT_WRITE, page));
        place->put(7);
        w.note_error(1, munmap(place, page));
        munmap(padding, page);
      },
  });
  CHECK(seen[0] == 7);
  CHECK(seen[1] == 0);
}

TEST_CASE("a file that two processes map is the same memory at different addresses") {
  const auto seen = both<named_file>({
      [](named_file& w) {
        const auto fd = w.open(O_RDWR);
        auto* all = static_cast<char*>(map(fd, 2 * page));
        close(fd);
        w.note(0, reinterpret_cast<meeting*>(all + page)->await());
        w.note_error(1, msync(all, 2 * page, MS_SYNC));
        munmap(all, 2 * page);
      },
      [](named_file& w) {
        const auto fd = w.open(O_RDWR);
        auto* place = static_cast<meeting*>(map(fd, page, PROT_READ | PROT_WRITE, page));
        place->put(8);
        munmap(place, page);
        close(fd);
      },
  });
  CHECK(seen[0] == 8);
  CHECK(seen[1] == 0);
}

TEST_CASE("memory that is moved stays the same memory") {
  const auto seen = both<memory_file>({
      [](memory_file& w) {
        auto* place = map(w.fd, page, PROT_READ | PROT_WRITE, page);
        auto* there = map(w.fd, page);
        place = mremap(place, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, there);
        w.note(0, place == there);
        w.note(1, static_cast<meeting*>(place)->await());
        munmap(place, page);
      },
      [](memory_file& w) {
        auto* all = static_cast<char*>(map(w.fd, 2 * page));
        w.note_error(2, munmap(all, page));
        reinterpret_cast<meeting*>(all + page)->put(9);
        munmap(all + page, page);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 9);
  CHECK(seen[2] == 0);
}

TEST_CASE("whoever touches what lies behind the end of a file dies of SIGBUS") {
  const auto seen = both<memory_file>(
      {
          [](memory_file& w) {
            auto* all = static_cast<volatile char*>(map(w.fd, 2 * page));
            all[page] = 1;
            w.note_error(0, ftruncate(w.fd, page));
            w.note(1, signal_that_ends([&] { all[0] = 1; }));
            w.note(2, signal_that_ends([&] {
                     signal(SIGBUS, SIG_DFL);
                     all[page] = 1;
                   }));
            w.note_error(3, ftruncate(w.fd, 2 * page));
            w.note(4, all[page]);
            w.note_error(5, ftruncate(w.fd, -1));
            w.note_error(6, ftruncate(-1, 0));
          },
      },
      deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SIGBUS);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == EINVAL);
  CHECK(seen[6] == EBADF);
}

TEST_CASE("protection is each process's own affair") {
  const auto seen = both<memory_file>(
      {
          [](memory_file& w) {
            auto* place = static_cast<volatile char*>(map(w.fd, page));
            w.note_error(0, mprotect(const_cast<char*>(place), page, PROT_READ));
            w.note(1, signal_that_ends([&] {
                     signal(SIGSEGV, SIG_DFL);
                     place[0] = 1;
                   }));
            w.note(2, signal_that_ends([&] {
                     mprotect(const_cast<char*>(place), page, PROT_READ | PROT_WRITE);
                     place[0] = 5;
                   }));
            w.note(3, place[0]);
            w.note_error(4, mprotect(const_cast<char*>(place) + 1, page, PROT_READ));
          },
      },
      deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == SIGSEGV);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 5);
  CHECK(seen[4] == EINVAL);
}

TEST_CASE("a sealed memory file keeps its size, and is not sealed while it can be written") {
  const auto seen = both<memory_file>({[](memory_file& w) {
    auto* place = map(w.fd, page);
    w.note_error(0, fcntl(w.fd, F_ADD_SEALS, F_SEAL_WRITE));
    w.note_error(1, fcntl(w.fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
    w.note_error(2, ftruncate(w.fd, page));
    w.note_error(3, ftruncate(w.fd, 3 * page));
    munmap(place, page);
    w.note_error(4, fcntl(w.fd, F_ADD_SEALS, F_SEAL_WRITE));
    w.note(5, map(w.fd, page) == MAP_FAILED ? errno : 0);
    w.note(6, fcntl(w.fd, F_GET_SEALS));
    w.note_error(7, memfd_create("x", 0x10000));
  }});
  CHECK(seen[0] == EBUSY);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EPERM);
  CHECK(seen[3] == EPERM);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == EPERM);
  CHECK(seen[6] == (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  CHECK(seen[7] == EINVAL);
}

TEST_CASE("a hole in a mapping is no memory, what lies around it is as before") {
  const auto seen = both<memory_file>({[](memory_file& w) {
    static_cast<void>(ftruncate(w.fd, 3 * page));
    auto* all = static_cast<char*>(map(w.fd, 3 * page));
    all[0] = 1;
    all[2 * page] = 3;
    w.note_error(0, munmap(all + page, page));
    w.note(1, all[0] + all[2 * page]);
    w.note_error(2, msync(all, 3 * page, MS_ASYNC));
    w.note_error(3, munmap(all, 3 * page));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 4);
  CHECK(seen[2] == ENOMEM);
  CHECK(seen[3] == 0);
}
