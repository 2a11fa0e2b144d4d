// Record locks: ranges, owners, circles, and what gives them back.
#include <sys/wait.h>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

struct records : named {
  records() {
    const auto fd = ::open(path.data(), O_CREAT | O_RDWR, 0600);
    if (::ftruncate(fd, 100) != 0) ::abort();
    ::close(fd);
  }
  [[nodiscard]] int open_file() const { return open(O_RDWR); }
};

struct flock range(short type, off_t first, off_t length, short whence = SEEK_SET) {
  struct flock made {};
  made.l_type = type;
  made.l_whence = whence;
  made.l_start = first;
  made.l_len = length;
  return made;
}

int set(int fd, struct flock what, int command = F_SETLK) { return fcntl(fd, command, &what); }

// Is that byte locked by anybody but this open file? The process's own locks count.
bool locked(int fd, off_t byte) {
  auto asked = range(F_WRLCK, byte, 1);
  return fcntl(fd, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
}

// Which of the bytes 0 … 9 are locked, as a decimal number of ones and zeros with a 1 before it.
long pattern(int fd) {
  long digits = 1;
  for (off_t byte = 0; byte < 10; ++byte) digits = digits * 10 + (locked(fd, byte) ? 1 : 0);
  return digits;
}

// The second body waits for bytes 10 … 19, which the first gives back in some way.
template <class GiveBack>
void are_given_back(GiveBack /*by the holder*/) {
  const auto seen = both<records>({
      [](records& w) {
        const auto fd = w.open_file();
        w.note_error(0, set(fd, range(F_WRLCK, 0, 50)));
        w.call_has_ended();
        w.await_waiter();
        GiveBack{}(w, fd);
        while (w.seen[1] == notes::nothing) usleep(1000);
      },
      [](records& w) {
        const auto fd = w.open_file();
        w.await_its_end();
        w.next_call_waits();
        const auto result = set(fd, range(F_RDLCK, 10, 10), F_SETLKW);
        w.note_error(1, result);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

// The other one napped, too: one more nap lets it come to its call.
void await_late_waiter(const records& w) {
  w.await_waiter();
  usleep(1000);
}

// One process holds `mine` and waits for `theirs`; the other then waits for `mine`, in a circle.
// Only the bodies' order of waiting decides whom the kernel refuses.
void wait_in_circle(records& w, int fd, off_t mine, off_t theirs, std::size_t slot) {
  w.note_error(slot, set(fd, range(F_WRLCK, theirs, 1), F_SETLKW));
  set(fd, range(F_UNLCK, mine, 0));
}

}  // namespace

TEST_CASE(
    "a write lock excludes others where ranges overlap, read locks exclude none of their own") {
  const auto seen = both<records>({[](records& w) {
    const auto fd = w.open_file();
    set(fd, range(F_WRLCK, 10, 10));
    set(fd, range(F_RDLCK, 30, 10));
    const auto child = fork();
    if (child == 0) {
      const auto own = w.open_file();
      w.note_error(0, set(own, range(F_RDLCK, 0, 10)));
      w.note_error(1, set(own, range(F_RDLCK, 0, 11)));
      w.note_error(2, set(own, range(F_WRLCK, 19, 1)));
      w.note_error(3, set(own, range(F_WRLCK, 20, 10)));
      w.note_error(4, set(own, range(F_RDLCK, 30, 10)));
      w.note_error(5, set(own, range(F_WRLCK, 39, 1)));
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  }});
  for (const auto slot : {0U, 3U, 4U}) CHECK(seen[slot] == 0);
  for (const auto slot : {1U, 2U, 5U}) CHECK(seen[slot] == EAGAIN);
}

TEST_CASE("ranges split and merge, and count from the start, the offset or the end") {
  const auto seen = both<records>({[](records& w) {
    const auto fd = w.open_file();
    const auto probe = w.open_file();
    set(fd, range(F_WRLCK, 0, 10));
    set(fd, range(F_UNLCK, 4, 2));
    w.note(0, pattern(probe));
    set(fd, range(F_WRLCK, 3, 4));
    w.note(1, pattern(probe));
    set(fd, range(F_UNLCK, 0, 0));
    lseek(fd, 5, SEEK_SET);
    set(fd, range(F_WRLCK, 1, 2, SEEK_CUR));
    w.note(2, pattern(probe));
    set(fd, range(F_WRLCK, -99, 1, SEEK_END));
    w.note(3, pattern(probe));
    set(fd, range(F_WRLCK, 5, -2));
    w.note(4, pattern(probe));
    set(fd, range(F_WRLCK, 9, 0));
    w.note(5, pattern(probe));
    w.note(6, locked(probe, 1'000'000'000'000) ? 1 : 0);
  }});
  CHECK(seen[0] == 1'1111001111);
  CHECK(seen[1] == 1'1111111111);
  CHECK(seen[2] == 1'0000001100);
  CHECK(seen[3] == 1'0100001100);
  CHECK(seen[4] == 1'0101101100);
  CHECK(seen[5] == 1'0101101101);
  CHECK(seen[6] == 1);
}

TEST_CASE("who waits for a range gets it when it is given back") {
  SECTION("by an unlock of some of it and more") {
    are_given_back([](records&, int fd) { set(fd, range(F_UNLCK, 10, 20)); });
  }
  SECTION("by a read lock in its place") {
    are_given_back([](records&, int fd) { set(fd, range(F_RDLCK, 0, 0)); });
  }
  SECTION("by a close") {
    are_given_back([](records&, int fd) { close(fd); });
  }
  SECTION("by the close of another descriptor of the file") {
    are_given_back([](records& w, int) { close(w.open_file()); });
  }
  SECTION("by a dup2 over another descriptor of the file") {
    are_given_back([](records& w, int) { dup2(0, w.open_file()); });
  }
  SECTION("by the end of a stream of the file") {
    are_given_back([](records& w, int) { fclose(fopen(w.path.data(), "r")); });
  }
  SECTION("by lockf") {
    are_given_back([](records&, int fd) { lockf(fd, F_ULOCK, 0); });
  }
}

TEST_CASE("a waiter whose range is not given back stays where it is") {
  const auto seen = both<records>({
      [](records& w) {
        const auto fd = w.open_file();
        set(fd, range(F_WRLCK, 0, 20));
        w.call_has_ended();
        w.await_waiter();
        set(fd, range(F_UNLCK, 0, 10));
        w.await_waiter();
        w.note(0, w.seen[1]);
        set(fd, range(F_UNLCK, 10, 10));
      },
      [](records& w) {
        const auto fd = w.open_file();
        w.await_its_end();
        w.next_call_waits();
        const auto result = set(fd, range(F_WRLCK, 5, 10), F_SETLKW);
        w.note_error(1, result);
      },
  });
  CHECK(seen[0] == notes::nothing);
  CHECK(seen[1] == 0);
}

TEST_CASE("a range that counts from the end is that of the call, though the file grows meanwhile") {
  const auto seen = both<records>({
      [](records& w) {
        const auto fd = w.open_file();
        set(fd, range(F_WRLCK, 0, 200));
        w.call_has_ended();
        await_late_waiter(w);
        w.note(0, ftruncate(fd, 150));
        set(fd, range(F_UNLCK, 0, 0));
        while (w.seen[1] == notes::nothing) usleep(1000);
        w.note(2, locked(fd, 99) ? 1 : 0);
        w.note(3, locked(fd, 149) ? 1 : 0);
        w.note(4, 0);
      },
      [](records& w) {
        const auto fd = w.open_file();
        w.await_its_end();
        w.next_call_waits();
        const auto result = set(fd, range(F_WRLCK, -1, 1, SEEK_END), F_SETLKW);
        w.note_error(1, result);
        while (w.seen[4] == notes::nothing) usleep(1000);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}

TEST_CASE("a child does not inherit record locks, and its closes take none away") {
  const auto seen = both<records>({[](records& w) {
    const auto fd = w.open_file();
    set(fd, range(F_WRLCK, 0, 10));
    const auto child = fork();
    if (child == 0) {
      w.note_error(0, set(fd, range(F_WRLCK, 0, 10)));
      close(fd);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    w.note(1, pattern(w.open_file()));
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == 1'1111111111);
}

TEST_CASE("the death of a process gives its record locks to one who waits") {
  const auto seen = both<records>({[](records& w) {
    const auto child = fork();
    if (child == 0) {
      set(w.open_file(), range(F_WRLCK, 0, 0));
      w.next_call_waits();
      for (;;) sleep(1000);
    }
    w.await_waiter();
    const auto waiter = fork();
    if (waiter == 0) {
      w.note_error(0, set(w.open_file(), range(F_WRLCK, 7, 1), F_SETLKW));
      _exit(0);
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    waitpid(waiter, nullptr, 0);
  }});
  CHECK(seen[0] == 0);
}

TEST_CASE("whoever would close a circle of waiting processes is told EDEADLK") {
  const auto seen = both<records>({
      [](records& w) {
        const auto fd = w.open_file();
        set(fd, range(F_WRLCK, 0, 1));
        w.call_has_ended();
        while (w.seen[2] == notes::nothing) usleep(1000);
        w.next_call_waits();
        wait_in_circle(w, fd, 0, 1, 0);
      },
      [](records& w) {
        w.await_its_end();
        const auto fd = w.open_file();
        w.note_error(2, set(fd, range(F_WRLCK, 1, 1)));
        await_late_waiter(w);
        w.note_error(3, set(fd, range(F_WRLCK, 0, 1)));  // no attempt sees the circle
        wait_in_circle(w, fd, 1, 0, 1);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EDEADLK);
  CHECK(seen[3] == EAGAIN);
}

TEST_CASE("two read locks that both are to become write locks are a circle") {
  const auto seen = both<records>({
      [](records& w) {
        const auto fd = w.open_file();
        set(fd, range(F_RDLCK, 0, 10));
        w.call_has_ended();
        while (w.seen[2] == notes::nothing) usleep(1000);
        w.next_call_waits();
        w.note_error(0, set(fd, range(F_WRLCK, 0, 10), F_SETLKW));
      },
      [](records& w) {
        w.await_its_end();
        const auto fd = w.open_file();
        w.note_error(2, set(fd, range(F_RDLCK, 0, 10)));
        await_late_waiter(w);
        w.note_error(1, set(fd, range(F_WRLCK, 5, 1), F_SETLKW));
        set(fd, range(F_UNLCK, 0, 0));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EDEADLK);
}

TEST_CASE("a wait that ended is no part of a circle") {
  const auto seen = both<records>({
      [](records& w) {
        const auto fd = w.open_file();
        set(fd, range(F_WRLCK, 0, 1));
        w.call_has_ended();
        while (w.seen[2] == notes::nothing) usleep(1000);
        w.next_call_waits();
        const auto got = set(fd, range(F_WRLCK, 1, 1), F_SETLKW);
        set(fd, range(F_UNLCK, 0, 0));
        w.note_error(0, got);
      },
      [](records& w) {
        w.await_its_end();
        const auto fd = w.open_file();
        w.note_error(2, set(fd, range(F_WRLCK, 1, 1)));
        await_late_waiter(w);
        set(fd, range(F_UNLCK, 1, 1));
        w.note_error(1, set(fd, range(F_WRLCK, 0, 1), F_SETLKW));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("locks of an open file exclude each other in one process, and its own record locks") {
  const auto seen = both<records>({[](records& w) {
    const auto one = w.open_file();
    const auto other = w.open_file();
    w.note_error(0, set(one, range(F_WRLCK, 0, 10), F_OFD_SETLK));
    w.note_error(1, set(other, range(F_WRLCK, 5, 1), F_OFD_SETLK));
    w.note_error(2, set(one, range(F_RDLCK, 5, 1)));
    w.note_error(3, set(dup(one), range(F_UNLCK, 5, 1), F_OFD_SETLK));
    w.note_error(4, set(other, range(F_WRLCK, 5, 1), F_OFD_SETLK));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == EAGAIN);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE(
    "the lock of an open file survives the close of another one, and goes with its last copy") {
  const auto seen = both<records>({[](records& w) {
    const auto fd = w.open_file();
    const auto probe = w.open_file();
    set(fd, range(F_WRLCK, 0, 10), F_OFD_SETLK);
    close(w.open_file());
    w.note(0, pattern(probe));
    const auto copy = dup(fd);
    close(fd);
    w.note(1, pattern(probe));
    close(copy);
    w.note(2, pattern(probe));
  }});
  CHECK(seen[0] == 1'1111111111);
  CHECK(seen[1] == 1'1111111111);
  CHECK(seen[2] == 1'0000000000);
}

TEST_CASE("whoever waits with the lock of an open file gets it when it is given back") {
  const auto seen = both<records>({
      [](records& w) {
        const auto fd = w.open_file();
        set(fd, range(F_WRLCK, 0, 0), F_OFD_SETLK);
        w.call_has_ended();
        w.await_waiter();
        close(fd);
        while (w.seen[1] == notes::nothing) usleep(1000);
      },
      [](records& w) {
        const auto fd = w.open_file();
        w.await_its_end();
        w.next_call_waits();
        const auto result = set(fd, range(F_WRLCK, 3, 1), F_OFD_SETLKW);
        w.note_error(1, result);
      },
  });
  CHECK(seen[1] == 0);
}

TEST_CASE("F_GETLK tells the lock that is in the way, with its owner") {
  const auto seen = both<records>({[](records& w) {
    const auto fd = w.open_file();
    set(fd, range(F_RDLCK, 10, 10));
    const auto parent = getpid();
    const auto child = fork();
    if (child == 0) {
      const auto own = w.open_file();
      auto asked = range(F_WRLCK, 0, 0);
      w.note_error(0, fcntl(own, F_GETLK, &asked));
      w.note(1, asked.l_type);
      w.note(2, asked.l_start);
      w.note(3, asked.l_len);
      w.note(4, asked.l_pid == parent);
      asked = range(F_RDLCK, 0, 0);
      w.note_error(5, fcntl(own, F_GETLK, &asked));
      w.note(6, asked.l_type);
      w.note(7, asked.l_len);
      set(own, range(F_WRLCK, 50, 1), F_OFD_SETLK);
      asked = range(F_WRLCK, 50, 0);
      fcntl(own, F_GETLK, &asked);
      w.note(8, asked.l_pid);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    auto asked = range(F_WRLCK, 0, 0);
    fcntl(fd, F_GETLK, &asked);
    w.note(9, asked.l_type);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == F_RDLCK);
  CHECK(seen[2] == 10);
  CHECK(seen[3] == 10);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == F_UNLCK);
  CHECK(seen[7] == 0);
  CHECK(seen[8] == -1);
  CHECK(seen[9] == F_UNLCK);
}

TEST_CASE("lockf locks from the offset on, tries, tests and unlocks") {
  const auto seen = both<records>({[](records& w) {
    const auto fd = w.open_file();
    const auto probe = w.open_file();
    lseek(fd, 5, SEEK_SET);
    w.note_error(0, lockf(fd, F_LOCK, 2));
    w.note(1, pattern(probe));
    w.note_error(2, lockf(fd, F_TEST, 2));
    const auto child = fork();
    if (child == 0) {
      w.note_error(3, lockf(fd, F_TEST, 2));
      w.note_error(4, lockf(fd, F_TLOCK, 2));
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    w.note_error(5, lockf64(fd, F_ULOCK, 0));
    w.note(6, pattern(probe));
    w.note_error(7, lockf(fd, unseen(77), 2));
  }});
  for (const auto slot : {0U, 2U, 5U}) CHECK(seen[slot] == 0);
  CHECK(seen[1] == 1'0000011000);
  CHECK(seen[3] == EACCES);
  CHECK(seen[4] == EAGAIN);
  CHECK(seen[6] == 1'0000000000);
  CHECK(seen[7] == EINVAL);
}

TEST_CASE("a record lock that cannot be says why") {
  const auto seen = both<records>({[](records& w) {
    const auto fd = w.open_file();
    w.note_error(0, set(-1, range(F_WRLCK, 0, 0)));
    w.note_error(1, set(w.open(O_RDONLY), range(F_WRLCK, 0, 0)));
    w.note_error(2, set(w.open(O_WRONLY), range(F_RDLCK, 0, 0), F_SETLKW));
    w.note_error(3, set(fd, range(77, 0, 0)));
    w.note_error(4, set(fd, range(F_WRLCK, 0, 0, 77)));
    w.note_error(5, set(fd, range(F_WRLCK, -1, 0), F_SETLKW));
    w.note_error(6, set(fd, range(F_WRLCK, 10, -20)));
    auto owned = range(F_WRLCK, 0, 0);
    owned.l_pid = 1;
    w.note_error(7, set(fd, owned, F_OFD_SETLK));
    auto* nowhere = unseen(reinterpret_cast<struct flock*>(8));
    w.note_error(8, fcntl(fd, F_SETLKW, nowhere));
    w.note_error(9, fcntl(fd, F_GETLK, nowhere));
    auto unlock = range(F_UNLCK, 0, 0);
    w.note_error(10, fcntl(fd, F_GETLK, &unlock));
  }});
  for (const auto slot : {0U, 1U, 2U}) CHECK(seen[slot] == EBADF);
  for (const auto slot : {3U, 4U, 5U, 6U, 7U, 10U}) CHECK(seen[slot] == EINVAL);
  CHECK(seen[8] == EFAULT);
  CHECK(seen[9] == EFAULT);
}
