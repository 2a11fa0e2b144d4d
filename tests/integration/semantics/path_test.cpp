// Opening FIFOs and other files, and taking names away.
#include <poll.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

// A FIFO, and a pipe by which one body tells the other to go on.
struct fifo_and_word : piped {
  fifo file;
};

short events_of(int fd, short wanted) {
  pollfd one{fd, wanted, 0};
  return poll(&one, 1, 0) < 0 ? short{-1} : one.revents;
}

}  // namespace

TEST_CASE("a reader that opens a FIFO first waits for the writer") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        w.next_call_waits();
        const auto fd = w.open(O_RDONLY);
        w.call_has_ended();
        w.note(0, read_one(fd));
        w.note(1, read_one(fd));
      },
      [](fifo& w) {
        w.await_waiter();
        w.note(2, write(w.open(O_WRONLY), "x", 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

TEST_CASE("a writer that opens a FIFO first waits for the reader") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        w.next_call_waits();
        w.note(0, write(w.open(O_WRONLY), "x", 1));
        w.call_has_ended();
      },
      [](fifo& w) {
        w.await_waiter();
        const auto fd = w.open(O_RDONLY);
        w.note(1, read_one(fd));
        w.note(2, read_one(fd));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 0);
}

TEST_CASE("the ends of a FIFO meet in whatever order they are opened") {
  const auto seen = both<fifo>({
      [](fifo& w) { w.note(0, read_one(w.open(O_RDONLY))); },
      [](fifo& w) { w.note(1, write(w.open(O_WRONLY), "x", 1)); },
  });
  CHECK(seen[0] == 'x');
}

TEST_CASE("a reader that waits in open notices a writer that came and went") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        w.next_call_waits();
        w.note(0, read_one(w.open(O_RDONLY)));
        w.call_has_ended();
      },
      [](fifo& w) {
        w.await_waiter();
        const auto fd = w.open(O_WRONLY | O_NONBLOCK);
        w.note(1, fd >= 0);
        close(fd);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
}

TEST_CASE("a writer that waits in open notices a reader that came and went") {
  const auto seen = both<fifo_and_word>({
      [](fifo_and_word& w) {
        signal(SIGPIPE, SIG_IGN);
        w.next_call_waits();
        const auto fd = w.file.open(O_WRONLY);
        w.call_has_ended();
        w.note_error(0, fd);
        read_one(w.in);
        w.note_error(1, write(fd, "x", 1));
      },
      [](fifo_and_word& w) {
        w.await_waiter();
        close(w.file.open(O_RDONLY | O_NONBLOCK));
        w.note(2, write(w.out, "!", 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EPIPE);
  CHECK(seen[2] == 1);
}

TEST_CASE("a writer that waits in open is a writer to the reader that comes, and goes on") {
  const auto seen = both<fifo_and_word>({
      [](fifo_and_word& w) {
        w.next_call_waits();
        const auto fd = w.file.open(O_WRONLY);
        w.call_has_ended();
        read_one(w.in);
        w.note(0, write(fd, "x", 1));
      },
      [](fifo_and_word& w) {
        w.await_waiter();
        const auto fd = w.file.open(O_RDONLY | O_NONBLOCK);
        w.note(1, read_one(fd));
        w.note(2, events_of(fd, POLLIN));
        fcntl(fd, F_SETFL, 0);
        write(w.out, "!", 1);
        w.note(3, read_one(fd));
        w.note(4, read_one(fd));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == -EAGAIN);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 'x');
  CHECK(seen[4] == 0);
}

TEST_CASE("a writer that waits in open is no reader to another writer") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        w.next_call_waits();
        w.note_error(0, w.open(O_WRONLY));
        w.call_has_ended();
      },
      [](fifo& w) {
        w.await_waiter();
        w.note_error(1, w.open(O_WRONLY | O_NONBLOCK));
        w.note_error(2, w.open(O_RDONLY));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == ENXIO);
  CHECK(seen[2] == 0);
}

TEST_CASE("a writer that is killed while it waits in open was no writer") {
  const auto seen = both<fifo>({[](fifo& w) {
    const auto child = fork();
    if (child == 0) {
      w.next_call_waits();
      w.note(0, w.open(O_WRONLY));
      _exit(0);
    }
    w.await_waiter();
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto fd = w.open(O_RDONLY | O_NONBLOCK);
    w.note(1, read_one(fd));
    w.note(2, events_of(fd, POLLIN));
  }});
  CHECK(seen[0] == notes::nothing);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("bytes that an earlier writer left are no writer to a reader that opens") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        w.note_error(3, w.open(O_RDONLY | O_NONBLOCK));  // keeps the bytes
        const auto writer = w.open(O_WRONLY);
        write(writer, "ab", 2);
        w.note(0, read_one(w.open(O_RDONLY)));  // the writer is still there
        close(writer);
        w.next_call_waits();
        const auto second = w.open(O_RDONLY);
        w.call_has_ended();
        w.note(1, read_one(second));
      },
      [](fifo& w) {
        w.await_waiter();
        close(w.open(O_RDONLY | O_NONBLOCK));  // makes it look again, in vain
        w.await_waiter();
        w.note(2, w.open(O_WRONLY | O_NONBLOCK) >= 0);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 'b');
  CHECK(seen[2] == 1);
}

TEST_CASE("a FIFO without a reader refuses a writer that does not wait, and takes any reader") {
  const auto seen = both<fifo>({[](fifo& w) {
    w.note_error(0, w.open(O_WRONLY | O_NONBLOCK));
    const auto fd = w.open(O_RDONLY | O_NONBLOCK);
    w.note(1, read_one(fd));
    w.note(2, events_of(fd, POLLIN));
    w.note(3, w.open(O_WRONLY | O_NONBLOCK) >= 0);
    w.note(4, read_one(fd));
  }});
  CHECK(seen[0] == ENXIO);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == -EAGAIN);
}

TEST_CASE("a FIFO opened for both does not wait, and is a peer to itself and to others") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        w.next_call_waits();
        w.note_error(0, w.open(O_WRONLY));
        w.call_has_ended();
      },
      [](fifo& w) {
        w.await_waiter();
        const auto fd = w.open(O_RDWR);
        w.note(1, write(fd, "x", 1));
        w.note(2, read_one(fd));
        w.note(3, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'x');
  CHECK(seen[3] == O_RDWR);
}

TEST_CASE("an open that waited gives the lowest number, and the flags that were asked for") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        const auto lowest = dup(0);
        const auto next = dup(0);
        close(lowest);
        close(next);
        w.next_call_waits();
        const auto fd = w.open(O_WRONLY | O_CLOEXEC);
        w.call_has_ended();
        w.note(0, fd - lowest);
        w.note(1, fcntl(fd, F_GETFD));
        w.note(2, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
        w.note(3, dup(fd) - next);
      },
      [](fifo& w) {
        w.await_waiter();
        const auto fd = w.open(O_RDONLY);
        w.note(4, fcntl(fd, F_GETFD));
        w.note(5, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == FD_CLOEXEC);
  CHECK(seen[2] == O_WRONLY);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == O_RDONLY);
}

TEST_CASE("a FIFO is refused as what it is not") {
  const auto seen = both<fifo>({[](fifo& w) {
    w.note_error(0, w.open(O_WRONLY | O_DIRECTORY));
    w.note_error(1, open(w.path.data(), O_WRONLY | O_CREAT | O_EXCL, 0600));
    w.note_error(2, open((std::string(w.path.data()) + "/below").c_str(), O_RDONLY));
    const auto fd = w.open(O_PATH);
    w.note_error(3, fd);
    w.note(4, read_one(fd));
  }});
  CHECK(seen[0] == ENOTDIR);
  CHECK(seen[1] == EEXIST);
  CHECK(seen[2] == ENOTDIR);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == -EBADF);
}

TEST_CASE("a file is made with its mode, found, and gone after it was unlinked") {
  const auto seen = both<named>({[](named& w) {
    umask(0);
    w.note_error(0, w.open(O_RDONLY));
    const auto fd = open(w.path.data(), O_RDWR | O_CREAT | O_EXCL, 0640);
    struct stat status {};
    fstat(fd, &status);
    w.note(1, static_cast<long>(status.st_mode));
    w.note_error(2, w.open(O_RDONLY));
    w.note_error(3, unlink(w.path.data()));
    w.note_error(4, unlink(w.path.data()));
    w.note_error(5, unlinkat(AT_FDCWD, w.path.data(), 0));
    w.note_error(6, remove(w.path.data()));
    w.note(7, write(fd, "x", 1));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == (S_IFREG | 0640));
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  for (const auto slot : {4U, 5U, 6U}) CHECK(seen[slot] == ENOENT);
  CHECK(seen[7] == 1);
}

TEST_CASE("a name that is not there in memory says EFAULT") {
  const auto seen = both<named>({[](named& w) {
    const auto* nowhere = unseen(reinterpret_cast<const char*>(8));
    w.note_error(0, open(nowhere, O_RDONLY));
    w.note_error(1, unlink(nowhere));
    w.note_error(2, mkfifo(nowhere, 0600));
  }});
  for (const auto slot : {0U, 1U, 2U}) CHECK(seen[slot] == EFAULT);
}
