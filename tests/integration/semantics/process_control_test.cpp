// What processes arrange for themselves: death signals, quick exits, descriptors closed in bulk,
// and random bytes.
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "tests/integration/semantics/both.hpp"
#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::deaths;
using forkloom::semantics::notes;
using forkloom::semantics::piped;
using forkloom::semantics::read_one;
using forkloom::semantics::unseen;

struct family : notes {};

// A grandchild that asked for that signal at its parent's death holds the pipe open until it dies.
void leave_orphan(piped& w, int signal) {
  const auto child = fork();
  if (child == 0) {
    if (fork() == 0) {
      ::signal(signal, SIG_DFL);
      w.note(0, prctl(PR_SET_PDEATHSIG, signal));
      w.note(1, 1);  // before the byte: whoever reads it ends, and that is the end here, too
      write(w.out, "!", 1);
      for (;;) sleep(1000);
    }
    char byte = 0;
    _exit(read(w.in, &byte, 1) == 1 ? 0 : 1);
  }
  close(w.out);
  int status = -1;
  w.note(2, waitpid(child, &status, 0) == child);
  w.note(3, status);
  w.note(4, read_one(w.in));
}

}  // namespace

TEST_CASE("a process that asked for it is killed when its parent dies") {
  const auto seen = both<piped>({[](piped& w) { leave_orphan(w, SIGKILL); }}, deaths::wanted);
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("a signal that ends a process by default does so when the parent dies") {
  const auto seen = both<piped>({[](piped& w) { leave_orphan(w, SIGTERM); }}, deaths::wanted);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("the wish for a signal at the parent's death is kept, and not inherited") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      int signal = -1;
      w.note_error(0, prctl(PR_GET_PDEATHSIG, &signal));
      w.note(1, signal);
      prctl(PR_SET_PDEATHSIG, SIGUSR1);
      prctl(PR_GET_PDEATHSIG, &signal);
      w.note(2, signal);
      w.note_error(3, prctl(PR_SET_PDEATHSIG, unseen(1000)));
      if (fork() == 0) {
        prctl(PR_GET_PDEATHSIG, &signal);
        w.note(4, signal);
        _exit(0);
      }
      wait(nullptr);
      prctl(PR_SET_PDEATHSIG, 0);
      _exit(0);
    }
    wait(nullptr);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SIGUSR1);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == 0);
}

TEST_CASE("a quick exit runs its own handlers and no others") {
  static family* world = nullptr;
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) {
      world = &w;
      std::atexit([] { world->note(0, 1); });
      std::at_quick_exit([] { world->note(1, 1); });
      std::quick_exit(9);
    }
    int status = 0;
    waitpid(child, &status, 0);
    w.note(2, status);
  }});
  CHECK(seen[0] == notes::nothing);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 9 << 8);
}

TEST_CASE("an aborted process dies of SIGABRT, even if it ignores that") {
  const auto seen = both<family>({[](family& w) {
                                   const auto child = fork();
                                   if (child == 0) {
                                     signal(SIGABRT, SIG_IGN);
                                     std::abort();
                                   }
                                   int status = 0;
                                   waitpid(child, &status, 0);
                                   w.note(0, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
                                 }},
                                 deaths::wanted);
  CHECK(seen[0] == SIGABRT);
}

TEST_CASE("descriptors that are closed in bulk are closed for whoever waits at the other end") {
  const auto seen = both<piped>({[](piped& w) {
                                   w.read_only();
                                   w.note(0, read_one(w.in));
                                 },
                                 [](piped& w) {
                                   const auto first = static_cast<unsigned>(std::min(w.in, w.out));
                                   w.note_error(1, close_range(first, ~0U, 0));
                                   w.note_error(2, fcntl(unseen(w.out), F_GETFD));
                                   w.note_error(3, close_range(unseen(5U), 4, 0));
                                 }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EBADF);
  CHECK(seen[3] == EINVAL);
}

TEST_CASE("a process that has closed everything still forks and waits") {
  const auto seen = both<piped>({[](piped& w) {
    closefrom(3);
    const int place = open("/dev/null", O_RDWR);
    for (int fd = place + 1; fd < 200; ++fd) dup2(place, fd);  // numbers that were somebody's
    const auto child = fork();
    if (child == 0) _exit(3);
    int status = 0;
    w.note(0, waitpid(child, &status, 0) == child);
    w.note(1, status);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 3 << 8);
}

TEST_CASE("random bytes are given as they are asked for, and differ") {
  const auto seen = both<family>({[](family& w) {
    std::array<char, 32> one{};
    std::array<char, 32> other{};
    w.note(0, getrandom(one.data(), one.size(), 0));
    w.note(1, getentropy(other.data(), other.size()));
    w.note(2, one != other);
    w.note_error(3, getrandom(one.data(), one.size(), unseen(0xffffU)));
    w.note_error(4, getentropy(other.data(), unseen(std::size_t{257})));
    bool below = true;
    for (int i = 0; i < 100; ++i) below = below && arc4random_uniform(7) < 7;
    w.note(5, below);
    w.note(6, arc4random_uniform(1));
    w.note(7, arc4random() != arc4random() || arc4random() != arc4random());
  }});
  CHECK(seen[0] == 32);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == EIO);
  CHECK(seen[5] == 1);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == 1);
}
