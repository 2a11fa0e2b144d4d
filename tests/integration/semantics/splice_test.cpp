// Moving data between descriptors without reading it: splice, tee, vmsplice, sendfile; and the
// other calls that read and write pipes.
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include <csignal>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

constexpr std::size_t page = 4096;

struct two_pipes : piped {
  piped second;
  void forked() {
    piped::forked();
    second.forked();
  }
};

// Of a pipe: fills it to the last byte.
void fill(const piped& w) {
  fcntl(w.out, F_SETFL, O_NONBLOCK);
  const std::vector<char> bytes(static_cast<std::size_t>(w.capacity()), 'f');
  write(w.out, bytes.data(), bytes.size());
  fcntl(w.out, F_SETFL, 0);
}

int file_with(std::string_view text) {
  const auto fd = memfd_create("file", 0);
  write(fd, text.data(), text.size());
  lseek(fd, 0, SEEK_SET);
  return fd;
}

long bytes_in(int fd) {
  int count = -1;
  return ioctl(fd, FIONREAD, &count) == 0 ? count : -errno;
}

}  // namespace

TEST_CASE("a splice from pipe to pipe waits for data, and moves what there is") {
  const auto seen = both<two_pipes>({
      [](two_pipes& w) {
        w.next_call_waits();
        w.note(0, splice(w.in, nullptr, w.second.out, nullptr, 100, 0));
        w.call_has_ended();
        w.note(1, read_one(w.second.in));
        w.note(2, read_one(w.second.in));
      },
      [](two_pipes& w) {
        w.await_waiter();
        w.note(3, write(w.out, "ab", 2));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 'a');
  CHECK(seen[2] == 'b');
}

TEST_CASE("a splice into a full pipe waits until it is read") {
  const auto seen = both<two_pipes>({
      [](two_pipes& w) {
        fill(w.second);
        write(w.out, "x", 1);
        w.next_call_waits();
        w.note(0, splice(w.in, nullptr, w.second.out, nullptr, 100, 0));
        w.call_has_ended();
      },
      [](two_pipes& w) {
        w.await_waiter();
        std::array<char, page> some{};
        w.note(1, read(w.second.in, some.data(), some.size()));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == static_cast<long>(page));
}

TEST_CASE("a reader that waits gets what is spliced to it") {
  const auto seen = both<two_pipes>({
      [](two_pipes& w) {
        w.next_call_waits();
        w.note(0, read_one(w.second.in));
        w.call_has_ended();
      },
      [](two_pipes& w) {
        w.await_waiter();
        write(w.out, "y", 1);
        w.note(1, splice(w.in, nullptr, w.second.out, nullptr, 1, SPLICE_F_MOVE));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'y');
  CHECK(seen[1] == 1);
}

TEST_CASE("a splice finds the end of the data when the last writer has closed") {
  const auto seen = both<two_pipes>({
      [](two_pipes& w) {
        w.read_only();
        w.next_call_waits();
        w.note(0, splice(w.in, nullptr, w.second.out, nullptr, 100, 0));
        w.call_has_ended();
      },
      [](two_pipes& w) {
        w.await_waiter();
        close(w.out);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
}

TEST_CASE("a splice between a file and a pipe moves its place in the file") {
  const auto seen = both<piped>({[](piped& w) {
    const auto file = file_with("hello");
    off64_t place = 1;
    w.note(0, splice(file, &place, w.out, nullptr, 3, 0));
    w.note(1, place);
    w.note(2, splice(w.in, nullptr, file, nullptr, 3, 0));
    std::array<char, 8> text{};
    pread(file, text.data(), 5, 0);
    w.note(3, text[0]);
    w.note(4, std::string_view(text.data()) == "elllo");
    close(file);
  }});
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 4);
  CHECK(seen[2] == 3);
  CHECK(seen[3] == 'e');
  CHECK(seen[4] == 1);
}

TEST_CASE("a splice that must not wait says EAGAIN, also because the pipe does not block") {
  const auto seen = both<two_pipes>({[](two_pipes& w) {
    w.note_error(0, splice(w.in, nullptr, w.second.out, nullptr, 1, SPLICE_F_NONBLOCK));
    fcntl(w.second.out, F_SETFL, O_NONBLOCK);
    w.note_error(1, splice(w.in, nullptr, w.second.out, nullptr, 1, 0));
    w.note(2, fcntl(w.in, F_GETFL) & O_NONBLOCK);
  }});
  CHECK(seen[0] == EAGAIN);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == 0);
}

TEST_CASE("a tee copies, waits for data to copy, and leaves it where it is") {
  const auto seen = both<two_pipes>({
      [](two_pipes& w) {
        w.next_call_waits();
        w.note(0, tee(w.in, w.second.out, 100, 0));
        w.call_has_ended();
        w.note(1, read_one(w.in));
        w.note(2, read_one(w.second.in));
      },
      [](two_pipes& w) {
        w.await_waiter();
        write(w.out, "t", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 't');
  CHECK(seen[2] == 't');
}

TEST_CASE("a vmsplice writes a pipe from memory, and waits until there is room") {
  const auto seen = both<piped>({
      [](piped& w) {
        fill(w);
        static std::array<char, 1> byte{'v'};  // the pipe refers to it, rather than copy it
        const iovec part{byte.data(), byte.size()};
        w.next_call_waits();
        w.note(0, vmsplice(w.out, &part, 1, 0));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        std::vector<char> all(static_cast<std::size_t>(w.capacity()));
        w.note(1, read(w.in, all.data(), all.size()) == static_cast<long>(all.size()));
        w.await_its_end();
        w.note(2, read_one(w.in));
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'v');
}

TEST_CASE("a vmsplice of the read end reads into memory, and waits for data") {
  const auto seen = both<piped>({
      [](piped& w) {
        std::array<char, 4> text{};
        const iovec part{text.data(), text.size()};
        w.next_call_waits();
        w.note(0, vmsplice(w.in, &part, 1, 0));
        w.call_has_ended();
        w.note(1, text[0]);
      },
      [](piped& w) {
        w.await_waiter();
        write(w.out, "r", 1);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'r');
}

TEST_CASE("a sendfile into a full pipe waits until it is read") {
  const auto seen = both<piped>({
      [](piped& w) {
        const auto file = file_with("file");
        fill(w);
        w.next_call_waits();
        w.note(0, sendfile(w.out, file, nullptr, 4));
        w.call_has_ended();
        w.note(1, lseek(file, 0, SEEK_CUR));
        off64_t place = 1;
        w.note(2, sendfile64(w.out, file, &place, 4));
        w.note(3, place);
        w.note(4, fcntl(w.out, F_GETFL) & O_NONBLOCK);
        close(file);
      },
      [](piped& w) {
        w.await_waiter();
        std::vector<char> all(static_cast<std::size_t>(w.capacity()));
        w.note(5, read(w.in, all.data(), all.size()) == static_cast<long>(all.size()));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 4);
  CHECK(seen[1] == 4);
  CHECK(seen[2] == 3);
  CHECK(seen[3] == 4);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 1);
}

TEST_CASE("what these calls refuse, they refuse under control") {
  const auto seen = both<two_pipes>({[](two_pipes& w) {
    const auto file = file_with("hello");
    off64_t place = 0;
    w.note_error(0, splice(file, nullptr, file, nullptr, 1, 0));
    w.note_error(1, splice(w.in, &place, w.second.out, nullptr, 1, 0));
    w.note_error(2, splice(-1, nullptr, w.out, nullptr, 1, 0));
    w.note_error(3, splice(w.out, nullptr, w.second.out, nullptr, 1, 0));
    w.note_error(4, tee(file, w.out, 1, 0));
    w.note_error(5, tee(w.in, w.out, 1, 0));
    w.note_error(6, splice(w.in, nullptr, w.out, nullptr, 1, 0));
    w.note_error(7, vmsplice(file, nullptr, 0, 0));
    w.note_error(8, sendfile(w.out, w.second.in, nullptr, 1));
    close(file);
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == ESPIPE);
  CHECK(seen[2] == EBADF);
  CHECK(seen[3] == EBADF);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == EINVAL);
  CHECK(seen[6] == EINVAL);
}

TEST_CASE("a splice into a pipe that nobody reads is SIGPIPE and EPIPE") {
  const auto seen = both<two_pipes>({[](two_pipes& w) {
    signal(SIGPIPE, SIG_IGN);
    close(w.second.in);
    write(w.out, "x", 1);
    w.note_error(0, splice(w.in, nullptr, w.second.out, nullptr, 1, 0));
    w.note(1, bytes_in(w.in));
    const auto file = file_with("x");
    w.note_error(2, sendfile(w.second.out, file, nullptr, 1));
    close(file);
  }});
  CHECK(seen[0] == EPIPE);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EPIPE);
}

TEST_CASE("preadv2 and pwritev2 at no place in particular read and write a pipe") {
  const auto seen = both<piped>({
      [](piped& w) {
        char byte = 0;
        const iovec part{&byte, 1};
        w.next_call_waits();
        w.note(0, preadv2(w.in, &part, 1, -1, 0));
        w.call_has_ended();
        w.note(1, byte);
        w.note_error(2, preadv2(w.in, &part, 1, 0, 0));
        w.note_error(3, pread(w.in, &byte, 1, 0));
      },
      [](piped& w) {
        w.await_waiter();
        char byte = 'p';
        const iovec part{&byte, 1};
        w.note(4, pwritev2(w.out, &part, 1, -1, 0));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'p');
  CHECK(seen[2] == ESPIPE);
  CHECK(seen[3] == ESPIPE);
  CHECK(seen[4] == 1);
}

TEST_CASE("a pipe of packets gives one at a time, and what does not fit the reader is lost") {
  struct packets : notes, appointment {
    std::array<int, 2> ends{};
    packets() { static_cast<void>(pipe2(ends.data(), O_DIRECT)); }
    ~packets() {
      close(ends[0]);
      close(ends[1]);
    }
  };
  const auto seen = both<packets>({
      [](packets& w) {
        std::array<char, 2> text{};
        w.next_call_waits();
        w.note(0, read(w.ends[0], text.data(), text.size()));
        w.call_has_ended();
        w.note(1, text[0]);
        w.note(2, read(w.ends[0], text.data(), text.size()));
        w.note(3, text[0]);
      },
      [](packets& w) {
        w.await_waiter();
        w.note(4, write(w.ends[1], "abc", 3));
        w.await_its_end();
        w.note(5, write(w.ends[1], "d", 1));
      },
  });
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 'a');
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 'd');
}

TEST_CASE("how much is in a pipe can be asked from both ends, and changes with each transfer") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.next_call_waits();
        w.note(0, read_one(w.in));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        w.note(1, bytes_in(w.out));
        write(w.out, "abc", 3);
        w.await_its_end();
        w.note(2, bytes_in(w.in));
        w.note_error(3, ioctl(w.in, FIONREAD, unseen(reinterpret_cast<int*>(8))));
        w.note(4, bytes_in(-1));
      },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 2);
  CHECK(seen[3] == EFAULT);
  CHECK(seen[4] == -EBADF);
}

TEST_CASE("copy_file_range passes") {
  const auto seen = both<piped>({[](piped& w) {
    const auto from = file_with("copy");
    const auto to = file_with("");
    w.note(0, copy_file_range(from, nullptr, to, nullptr, 4, 0));
    w.note_error(1, copy_file_range(from, nullptr, w.out, nullptr, 4, 0));
    close(from);
    close(to);
  }});
  CHECK(seen[0] == 4);
  CHECK(seen[1] == EINVAL);
}
