// Descriptors that come and go: close, dup and its kin, fcntl.
#include <csignal>
#include <vector>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

// The last writer but for the copy that it makes; the reader waits for the copy to be closed, too.
template <class Copy>
void a_copy_keeps_the_pipe_open(Copy /*makes it*/) {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.note(0, read_one(w.in));
        w.next_call_waits();
        w.note(1, read_one(w.in));
        w.call_has_ended();
      },
      [](piped& w) {
        const auto copy = Copy{}(w.out);
        w.note_error(2, copy);
        w.note_error(3, close(w.out));
        w.note(4, write(copy, "x", 1));
        w.await_waiter();
        w.note_error(5, close(copy));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
}

}  // namespace

TEST_CASE("a pipe stays open while a copy of its write end does") {
  SECTION("dup") {
    a_copy_keeps_the_pipe_open([](int fd) { return dup(fd); });
  }
  SECTION("dup2") {
    a_copy_keeps_the_pipe_open([](int fd) { return dup2(fd, 90); });
  }
  SECTION("dup3") {
    a_copy_keeps_the_pipe_open([](int fd) { return dup3(fd, 90, O_CLOEXEC); });
  }
  SECTION("F_DUPFD") {
    a_copy_keeps_the_pipe_open([](int fd) { return fcntl(fd, F_DUPFD, 90); });
  }
  SECTION("F_DUPFD_CLOEXEC") {
    a_copy_keeps_the_pipe_open([](int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 90); });
  }
}

TEST_CASE("a dup2 over the last write end is its close, and a reader that waits sees it") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.next_call_waits();
        w.note(0, read_one(w.in));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        w.note(1, dup2(w.in, w.out) == w.out);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("a dup3 over the last read end is its close, and a writer that waits sees it") {
  const auto seen = both<piped>({
      [](piped& w) {
        signal(SIGPIPE, SIG_IGN);
        w.write_only();
        const std::vector<char> bytes(static_cast<std::size_t>(w.capacity()));
        w.note(0, write(w.out, bytes.data(), bytes.size()) == w.capacity());
        w.next_call_waits();
        w.note_error(1, write(w.out, "x", 1));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        w.note(2, dup3(w.out, w.in, 0) == w.in);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EPIPE);
  CHECK(seen[2] == 1);
}

TEST_CASE("a close of one end of a pipe leaves the other processes' copies open") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.next_call_waits();
        w.note(0, read_one(w.in));
        w.call_has_ended();
        w.note(1, read_one(w.in));
      },
      [](piped& w) { close(w.out); },
      [](piped& w) {
        w.await_waiter();
        w.note(2, write(w.out, "x", 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

TEST_CASE("a pipe that is made larger takes what a writer waits to write") {
  const auto seen = both<piped>({
      [](piped& w) {
        fcntl(w.out, F_SETPIPE_SZ, 4096);
        const std::vector<char> bytes(3 * 4096);
        w.next_call_waits();
        w.note(0, write(w.out, bytes.data(), bytes.size()));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        w.note(1, fcntl(w.in, F_SETPIPE_SZ, 4 * 4096));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 3 * 4096);
  CHECK(seen[1] == 4 * 4096);
}

TEST_CASE("a descriptor is closed once") {
  const auto seen = both<piped>({[](piped& w) {
    w.note_error(0, close(w.in));
    w.note_error(1, close(w.in));
    w.note_error(2, close(-1));
    const auto null = open("/dev/null", O_RDONLY);
    w.note_error(3, close(null));
    w.note_error(4, close(null));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EBADF);
  CHECK(seen[2] == EBADF);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == EBADF);
}

TEST_CASE("a copy to its own number is no close") {
  const auto seen = both<piped>({[](piped& w) {
    w.note(0, dup2(w.out, w.out) == w.out);
    w.note_error(1, dup3(w.out, w.out, 0));
    w.note(2, write(w.out, "x", 1));
    w.note(3, read_one(w.in));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 'x');
}

TEST_CASE("a copy that cannot be made says why, and closes nothing") {
  const auto seen = both<piped>({[](piped& w) {
    w.note_error(0, dup(-1));
    w.note_error(1, dup2(-1, w.in));
    w.note_error(2, dup2(w.in, -1));
    w.note_error(3, dup3(w.out, w.in, O_APPEND));
    w.note_error(4, fcntl(w.in, F_DUPFD, -1));
    w.note_error(5, fcntl(-1, F_DUPFD, 0));
    w.note(6, write(w.out, "x", 1));
    w.note(7, read_one(w.in));
  }});
  CHECK(seen[0] == EBADF);
  CHECK(seen[1] == EBADF);
  CHECK(seen[2] == EBADF);
  CHECK(seen[3] == EINVAL);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == EBADF);
  CHECK(seen[6] == 1);
  CHECK(seen[7] == 'x');
}

TEST_CASE("copies have the number and the close-on-exec flag that were asked for") {
  const auto seen = both<piped>({[](piped& w) {
    w.note(0, fcntl(w.in, F_DUPFD, 80));
    w.note(1, fcntl(w.in, F_DUPFD_CLOEXEC, 80));
    w.note(2, dup3(w.in, 95, O_CLOEXEC));
    w.note(3, dup2(w.in, 96));
    w.note(4, fcntl(80, F_GETFD));
    w.note(5, fcntl(81, F_GETFD));
    w.note(6, fcntl(95, F_GETFD));
    w.note(7, fcntl(96, F_GETFD));
  }});
  CHECK(seen[0] == 80);
  CHECK(seen[1] == 81);
  CHECK(seen[2] == 95);
  CHECK(seen[3] == 96);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == FD_CLOEXEC);
  CHECK(seen[6] == FD_CLOEXEC);
  CHECK(seen[7] == 0);
}

TEST_CASE("status flags belong to the description, which copies and children share") {
  const auto seen = both<piped>({[](piped& w) {
    const auto copy = dup(w.in);
    fcntl(copy, F_SETFL, O_NONBLOCK);
    w.note(0, fcntl(w.in, F_GETFL) & O_NONBLOCK);
    w.note(1, read_one(w.in));
    w.note(2, fcntl(w.out, F_GETFL) & O_NONBLOCK);
  }});
  CHECK(seen[0] == O_NONBLOCK);
  CHECK(seen[1] == -EAGAIN);
  CHECK(seen[2] == 0);
}
