// flock: whom it excludes, what it belongs to, and what gives it back.
#include <sys/file.h>
#include <sys/wait.h>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

// A file that is there; each body opens it for itself.
struct lock_file : named {
  lock_file() { ::close(::open(path.data(), O_CREAT | O_RDWR, 0600)); }
  [[nodiscard]] int open_file() const { return open(O_RDWR); }
};

// The second body waits for a lock of the first, which gives it back in some way.
template <class GiveBack>
void is_given_back(GiveBack /*by the holder*/) {
  const auto seen = both<lock_file>({
      [](lock_file& w) {
        const auto fd = w.open_file();
        w.note_error(0, flock(fd, LOCK_EX));
        w.call_has_ended();  // here: it is locked
        w.await_waiter();
        GiveBack{}(fd);
        while (w.seen[1] == notes::nothing) usleep(1000);
      },
      [](lock_file& w) {
        const auto fd = w.open_file();
        w.await_its_end();
        w.next_call_waits();
        const auto result = flock(fd, LOCK_EX);
        w.note_error(1, result);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

}  // namespace

TEST_CASE("an exclusive flock excludes all, a shared one only exclusive ones") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    const auto one = w.open_file();
    const auto other = w.open_file();
    w.note_error(0, flock(one, LOCK_SH));
    w.note_error(1, flock(other, LOCK_SH | LOCK_NB));
    w.note_error(2, flock(other, LOCK_EX | LOCK_NB));
    w.note_error(3, flock(one, LOCK_UN));
    w.note_error(4, flock(other, LOCK_EX | LOCK_NB));
    w.note_error(5, flock(one, LOCK_SH | LOCK_NB));
    w.note_error(6, flock(other, LOCK_UN));
    w.note_error(7, flock(other, LOCK_UN));
  }});
  for (const auto slot : {0U, 1U, 3U, 4U, 6U, 7U}) CHECK(seen[slot] == 0);
  CHECK(seen[2] == EWOULDBLOCK);
  CHECK(seen[5] == EWOULDBLOCK);
}

TEST_CASE("whoever waits for a flock gets it when it is given back") {
  SECTION("by an unlock") {
    is_given_back([](int fd) { flock(fd, LOCK_UN); });
  }
  SECTION("by a close") {
    is_given_back([](int fd) { close(fd); });
  }
  SECTION("by a dup2 in its place") {
    is_given_back([](int fd) { dup2(0, fd); });
  }
  SECTION("through a copy of the descriptor") {
    is_given_back([](int fd) { flock(dup(fd), LOCK_UN); });
  }
  SECTION("by the end of a stream") {
    is_given_back([](int fd) { fclose(fdopen(fd, "r+")); });
  }
}

TEST_CASE("a flock stays while a copy of its descriptor does") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    const auto one = w.open_file();
    const auto other = w.open_file();
    flock(one, LOCK_EX);
    const auto copy = dup(one);
    close(one);
    w.note_error(0, flock(other, LOCK_EX | LOCK_NB));
    close(copy);
    w.note_error(1, flock(other, LOCK_EX | LOCK_NB));
  }});
  CHECK(seen[0] == EWOULDBLOCK);
  CHECK(seen[1] == 0);
}

TEST_CASE("a flock is inherited, and a child can give it back for its parent") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    const auto fd = w.open_file();
    flock(fd, LOCK_EX);
    const auto child = fork();
    if (child == 0) {
      w.note_error(0, flock(fd, LOCK_EX | LOCK_NB));  // it is its own already
      w.note_error(1, flock(fd, LOCK_UN));
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    w.note_error(2, flock(w.open_file(), LOCK_EX | LOCK_NB));
  }});
  for (const auto slot : {0U, 1U, 2U}) CHECK(seen[slot] == 0);
}

TEST_CASE("a flock outlives the child that took it while its parent has the open file") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    const auto fd = w.open_file();
    const auto child = fork();
    if (child == 0) {
      w.note_error(0, flock(fd, LOCK_EX));
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    const auto other = w.open_file();
    w.note_error(1, flock(other, LOCK_EX | LOCK_NB));
    close(fd);
    w.note_error(2, flock(other, LOCK_EX | LOCK_NB));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EWOULDBLOCK);
  CHECK(seen[2] == 0);
}

TEST_CASE("the death of the last that has the open file gives its flock to one who waits") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    const auto child = fork();
    if (child == 0) {
      flock(w.open_file(), LOCK_EX);
      w.next_call_waits();
      for (;;) sleep(1000);
    }
    w.await_waiter();
    const auto waiter = fork();
    if (waiter == 0) {
      w.note_error(0, flock(w.open_file(), LOCK_EX));
      _exit(0);
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    waitpid(waiter, nullptr, 0);
  }});
  CHECK(seen[0] == 0);
}

TEST_CASE("a conversion that fails has lost the lock") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    const auto one = w.open_file();
    const auto other = w.open_file();
    const auto third = w.open_file();
    flock(one, LOCK_SH);
    flock(other, LOCK_SH);
    w.note_error(0, flock(one, LOCK_EX | LOCK_NB));
    flock(other, LOCK_UN);
    w.note_error(1, flock(third, LOCK_EX | LOCK_NB));
  }});
  CHECK(seen[0] == EWOULDBLOCK);
  CHECK(seen[1] == 0);
}

TEST_CASE("two that turn their shared locks into exclusive ones let each other go on") {
  const auto seen = both<lock_file>({
      [](lock_file& w) {
        const auto fd = w.open_file();
        flock(fd, LOCK_SH);
        w.call_has_ended();
        while (w.seen[2] == notes::nothing) usleep(1000);
        w.next_call_waits();
        w.note_error(0, flock(fd, LOCK_EX));
      },
      [](lock_file& w) {
        w.await_its_end();
        const auto fd = w.open_file();
        w.note_error(2, flock(fd, LOCK_SH));
        w.await_waiter();
        usleep(1000);  // the other one napped, too: one more nap lets it come to its call
        w.note_error(1, flock(fd, LOCK_EX));
        flock(fd, LOCK_UN);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("a conversion to a shared lock lets a sharer in that waits") {
  const auto seen = both<lock_file>({
      [](lock_file& w) {
        const auto fd = w.open_file();
        flock(fd, LOCK_EX);
        w.call_has_ended();
        w.await_waiter();
        w.note_error(0, flock(fd, LOCK_SH));
        while (w.seen[1] == notes::nothing) usleep(1000);
      },
      [](lock_file& w) {
        const auto fd = w.open_file();
        w.await_its_end();
        w.next_call_waits();
        const auto result = flock(fd, LOCK_SH);
        w.note_error(1, result);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("flock and record locks do not see each other") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    flock(w.open_file(), LOCK_EX);
    struct flock all {};
    all.l_type = F_WRLCK;
    const auto other = w.open_file();
    w.note_error(0, fcntl(other, F_OFD_SETLK, &all));
    w.note_error(1, flock(other, LOCK_EX | LOCK_NB));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EWOULDBLOCK);
}

TEST_CASE("a flock that cannot be says why; a file that is only read can be locked") {
  const auto seen = both<lock_file>({[](lock_file& w) {
    w.note_error(0, flock(-1, LOCK_EX));
    const auto fd = w.open(O_RDONLY);
    w.note_error(1, flock(fd, 0));
    w.note_error(2, flock(fd, LOCK_SH | LOCK_EX));
    w.note_error(3, flock(w.open(O_PATH), LOCK_SH));
    w.note_error(4, flock(fd, LOCK_EX));
  }});
  CHECK(seen[0] == EBADF);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EBADF);
  CHECK(seen[4] == 0);
}
