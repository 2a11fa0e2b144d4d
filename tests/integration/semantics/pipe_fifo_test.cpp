// Reading from and writing to pipes, and mkfifo.
#include <limits.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <vector>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

constexpr std::size_t page = 4096;

struct mapped {
  char* data;  // one page that can be read and written, and one behind it that cannot

  mapped() {
    auto* place =
        mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    data = static_cast<char*>(place);
    mprotect(data + page, page, PROT_NONE);
  }
  mapped(const mapped&) = delete;
  mapped& operator=(const mapped&) = delete;
  ~mapped() { munmap(data, 2 * page); }

  [[nodiscard]] char* bad() const { return data + page; }
};

// A pipe for two records.
struct narrow : piped {
  narrow() { fcntl(out, F_SETPIPE_SZ, 2 * page); }
};

char pattern(std::size_t position) { return static_cast<char>(position % 251); }

std::vector<char> patterned(std::size_t size) {
  std::vector<char> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = pattern(i);
  return bytes;
}

// Reads to the end, a little at a time. How much came, or -1 if it was not the pattern.
long read_pattern(int fd) {
  std::array<char, 1000> some{};
  std::size_t total = 0;
  for (;;) {
    const auto got = read(fd, some.data(), some.size());
    if (got <= 0) return got == 0 ? static_cast<long>(total) : -1;
    for (long i = 0; i < got; ++i)
      if (some[static_cast<std::size_t>(i)] != pattern(total++)) return -1;
  }
}

// Of a pipe that does not block: fills it to the last byte.
long fill(const piped& w) {
  fcntl(w.out, F_SETFL, O_NONBLOCK);
  const std::vector<char> bytes(static_cast<std::size_t>(w.capacity()), 'f');
  return write(w.out, bytes.data(), bytes.size());
}

std::atomic<int> pipe_signals{0};
void count_signal(int /*signal*/) { ++pipe_signals; }

}  // namespace

TEST_CASE("a reader that waits gets what a writer writes") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.next_call_waits();
        w.note(0, read_one(w.in));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        w.note(1, write(w.out, "x", 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 1);
}

TEST_CASE("a reader that waits finds the end of the data when the last writer closes") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.next_call_waits();
        w.note(0, read_one(w.in));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        w.note_error(1, close(w.out));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("the end of the data comes after the data, and again whenever it is asked for") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        for (std::size_t i = 0; i < 4; ++i) w.note(i, read_one(w.in));
      },
      [](piped& w) { w.note(4, write(w.out, "ab", 2)); },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 'b');
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("a child that inherited the write end is a writer until it ends") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.note(0, read_one(w.in));
        w.note(1, read_one(w.in));
        w.next_call_waits();
        w.note(2, read_one(w.in));
      },
      [](piped& w) {
        const auto child = fork();
        if (child == 0) {
          w.note(3, write(w.out, "c", 1));
          w.await_waiter();
          _exit(0);
        }
        close(w.out);
        waitpid(child, nullptr, 0);
        w.note(4, 1);
      },
      [](piped& w) { w.note(5, write(w.out, "c", 1)); },
  });
  CHECK(seen[0] == 'c');
  CHECK(seen[1] == 'c');
  CHECK(seen[2] == 0);
}

TEST_CASE("a write without a reader says EPIPE if SIGPIPE is ignored") {
  const auto seen = both<piped>({[](piped& w) {
    signal(SIGPIPE, SIG_IGN);
    w.write_only();
    w.note_error(0, write(w.out, "x", 1));
    const std::vector<char> large(3 * page);
    w.note_error(1, write(w.out, large.data(), large.size()));
  }});
  CHECK(seen[0] == EPIPE);
  CHECK(seen[1] == EPIPE);
}

TEST_CASE("a write without a reader ends the writer by SIGPIPE") {
  const auto seen = both<piped>({[](piped& w) {
                                  w.write_only();
                                  const auto child = fork();
                                  if (child == 0) {
                                    w.note(0, 1);
                                    w.note(1, write(w.out, "x", 1));
                                    _exit(0);
                                  }
                                  int status = 0;
                                  waitpid(child, &status, 0);
                                  w.note(2, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
                                  w.note(3, fcntl(w.out, F_GETFL) & O_NONBLOCK);
                                }},
                                deaths::wanted);
  CHECK(seen[0] == 1);
  CHECK(seen[1] == notes::nothing);
  CHECK(seen[2] == SIGPIPE);
  CHECK(seen[3] == 0);
}

TEST_CASE("a writer that waits for room says EPIPE when the last reader closes") {
  const auto seen = both<piped>({
      [](piped& w) {
        signal(SIGPIPE, SIG_IGN);
        w.write_only();
        w.note(0, fill(w) == w.capacity());
        fcntl(w.out, F_SETFL, 0);
        w.next_call_waits();
        w.note_error(1, write(w.out, "x", 1));
        w.call_has_ended();
      },
      [](piped& w) {
        w.await_waiter();
        close(w.in);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EPIPE);
}

TEST_CASE("a large write that loses its reader tells how much it wrote, and SIGPIPE comes") {
  const auto seen = both<piped>({
      [](piped& w) {
        pipe_signals = 0;
        signal(SIGPIPE, count_signal);
        w.write_only();
        const auto bytes = patterned(3 * static_cast<std::size_t>(w.capacity()));
        w.next_call_waits();
        w.note(0, write(w.out, bytes.data(), bytes.size()) == w.capacity());
        w.call_has_ended();
        w.note(1, pipe_signals);
        w.note_error(2, write(w.out, "x", 1));
        w.note(3, pipe_signals);
      },
      [](piped& w) {
        w.await_waiter();
        close(w.in);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EPIPE);
  CHECK(seen[3] == 2);
}

TEST_CASE("records of up to PIPE_BUF bytes of two writers do not mix") {
  constexpr std::size_t records = 6;
  static constexpr auto write_records = [](narrow& w, char letter) {
    std::array<char, PIPE_BUF> record{};
    record.fill(letter);
    for (std::size_t i = 0; i < records; ++i)
      if (write(w.out, record.data(), record.size()) != PIPE_BUF) w.note(2, 1);
  };
  const auto seen = both<narrow>({
      [](narrow& w) {
        w.read_only();
        std::vector<char> bytes(2 * records * PIPE_BUF);
        std::size_t size = 0;
        for (long got = 0; (got = read(w.in, bytes.data() + size, 1500)) > 0;)
          size += static_cast<std::size_t>(got);
        w.note(0, static_cast<long>(size));
        long mixed = 0;
        for (std::size_t i = 0; i < size; ++i) mixed += bytes[i] != bytes[i - i % PIPE_BUF];
        w.note(1, mixed);
      },
      [](narrow& w) { write_records(w, 'a'); },
      [](narrow& w) { write_records(w, 'b'); },
  });
  CHECK(seen[0] == 2 * records * PIPE_BUF);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == notes::nothing);
}

TEST_CASE("a write larger than the pipe goes on until a slow reader has taken all of it") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.note(0, read_pattern(w.in));
      },
      [](piped& w) {
        const auto bytes = patterned(2 * 65536 + 17);
        w.note(1, write(w.out, bytes.data(), bytes.size()));
      },
  });
  CHECK(seen[0] == 2 * 65536 + 17);
  CHECK(seen[1] == 2 * 65536 + 17);
}

TEST_CASE("writev of parts that do not fit goes on, part by part and in their order") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.note(0, read_pattern(w.in));
      },
      [](piped& w) {
        auto bytes = patterned(80'010);
        const std::array<iovec, 4> parts{{{bytes.data(), 10},
                                          {bytes.data() + 10, 70'000},
                                          {nullptr, 0},
                                          {bytes.data() + 70'010, 10'000}}};
        w.note(1, writev(w.out, parts.data(), parts.size()));
      },
  });
  CHECK(seen[0] == 80'010);
  CHECK(seen[1] == 80'010);
}

TEST_CASE("readv takes what is there, part by part, and waits only for the first byte") {
  const auto seen = both<piped>({
      [](piped& w) {
        std::array<char, 4> bytes{};
        const std::array<iovec, 2> parts{{{bytes.data(), 1}, {bytes.data() + 1, 3}}};
        w.next_call_waits();
        w.note(0, readv(w.in, parts.data(), parts.size()));
        w.call_has_ended();
        w.note(1, std::memcmp(bytes.data(), "abc", 4));
      },
      [](piped& w) {
        w.await_waiter();
        w.note(2, write(w.out, "abc", 3));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 0);
}

TEST_CASE(
    "a read that does not wait says EAGAIN while there is a writer, and 0 when there is none") {
  const auto seen = both<piped>({[](piped& w) {
    fcntl(w.in, F_SETFL, O_NONBLOCK);
    w.note(0, read_one(w.in));
    write(w.out, "x", 1);
    w.note(1, read_one(w.in));
    w.note(2, read_one(w.in));
    close(w.out);
    w.note(3, read_one(w.in));
    w.note(4, fcntl(w.in, F_GETFL) & O_NONBLOCK);
  }});
  CHECK(seen[0] == -EAGAIN);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == -EAGAIN);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == O_NONBLOCK);
}

TEST_CASE("a write that does not wait and is larger than PIPE_BUF writes what fits, or EAGAIN") {
  const auto seen = both<piped>({[](piped& w) {
    fcntl(w.out, F_SETFL, O_NONBLOCK);
    std::vector<char> bytes(static_cast<std::size_t>(w.capacity()) + 100);
    w.note(0, write(w.out, bytes.data(), bytes.size()) == w.capacity());
    w.note_error(1, write(w.out, bytes.data(), bytes.size()));
    w.note(2, read(w.in, bytes.data(), page));
    w.note(3, write(w.out, bytes.data(), 2 * page));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == page);
  CHECK(seen[3] == page);
}

TEST_CASE("a write that does not wait and is not larger than PIPE_BUF is all or nothing") {
  const auto seen = both<piped>({[](piped& w) {
    fcntl(w.out, F_SETFL, O_NONBLOCK);
    std::vector<char> bytes(static_cast<std::size_t>(w.capacity()) - 10);
    w.note(0, write(w.out, bytes.data(), bytes.size()) == w.capacity() - 10);
    w.note_error(1, write(w.out, bytes.data(), PIPE_BUF));
    w.note_error(2, write(w.out, bytes.data(), 11));
    w.note(3, write(w.out, bytes.data(), 10));
    w.note_error(4, write(w.out, bytes.data(), 1));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == EAGAIN);
  CHECK(seen[3] == 10);
  CHECK(seen[4] == EAGAIN);
}

TEST_CASE("calls that wait leave no O_NONBLOCK behind, and nobody sees it meanwhile") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.next_call_waits();
        w.note(0, read_one(w.in));
        w.call_has_ended();
        w.note(1, fcntl(w.in, F_GETFL) & O_NONBLOCK);
      },
      [](piped& w) {
        w.await_waiter();
        w.note(2, fcntl(w.in, F_GETFL) & O_NONBLOCK);
        w.note(3, write(w.out, "x", 1));
        w.note(4, fcntl(w.out, F_GETFL) & O_NONBLOCK);
        w.await_its_end();
      },
  });
  for (const auto slot : {1U, 2U, 4U}) CHECK(seen[slot] == 0);
}

TEST_CASE("a transfer of no bytes never waits and never fails for want of a peer") {
  const auto seen = both<piped>({[](piped& w) {
    char byte = 0;
    w.note(0, read(w.in, &byte, 0));
    fill(w);
    fcntl(w.out, F_SETFL, 0);
    w.note(1, write(w.out, &byte, 0));
    close(w.in);
    w.note(2, write(w.out, &byte, 0));
  }});
  for (const auto slot : {0U, 1U, 2U}) CHECK(seen[slot] == 0);
}

TEST_CASE("descriptors that are closed, or open the other way, say EBADF") {
  const auto seen = both<piped>({[](piped& w) {
    char byte = 0;
    w.note_error(0, read(w.out, &byte, 1));
    w.note_error(1, write(w.in, &byte, 1));
    close(w.in);
    w.note_error(2, read(w.in, &byte, 1));
    w.note_error(3, write(-1, &byte, 1));
    const iovec part{&byte, 1};
    w.note_error(4, readv(w.in, &part, 1));
    w.note_error(5, writev(-1, &part, 1));
  }});
  for (std::size_t slot = 0; slot < 6; ++slot) CHECK(seen[slot] == EBADF);
}

TEST_CASE("memory that is not there says EFAULT, or how much was written before it") {
  const auto seen = both<piped>({[](piped& w) {
    const mapped memory;
    w.note_error(0, write(w.out, memory.bad(), 1));
    w.note(1, write(w.out, memory.data, 2 * page));
    w.note_error(2, read(w.in, memory.bad(), 1));
    w.note_error(3, writev(w.out, reinterpret_cast<iovec*>(memory.bad()), 1));
    w.note_error(4, readv(w.in, reinterpret_cast<iovec*>(memory.bad()), 1));
    const iovec part{memory.data, 1};
    w.note_error(5, writev(w.out, &part, unseen(-1)));
    w.note_error(6, pipe(reinterpret_cast<int*>(memory.bad())));
  }});
  CHECK(seen[0] == EFAULT);
  CHECK(seen[1] == page);
  CHECK(seen[2] == EFAULT);
  CHECK(seen[3] == EFAULT);
  CHECK(seen[4] == EFAULT);
  CHECK(seen[5] == EINVAL);
  CHECK(seen[6] == EFAULT);
}

TEST_CASE("mkfifo makes a FIFO of that mode, once") {
  const auto seen = both<named>({[](named& w) {
    umask(0);
    w.note_error(0, mkfifo(w.path.data(), 0640));
    struct stat status {};
    stat(w.path.data(), &status);
    w.note(1, static_cast<long>(status.st_mode));
    w.note_error(2, mkfifo(w.path.data(), 0640));
    w.note_error(3, mkfifoat(AT_FDCWD, w.path.data(), 0640));
    w.note_error(4, mkfifo("/dev/shm/there/is/none", 0600));
    w.note_error(5, mkfifoat(-1, "relative", 0600));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == (S_IFIFO | 0640));
  CHECK(seen[2] == EEXIST);
  CHECK(seen[3] == EEXIST);
  CHECK(seen[4] == ENOENT);
  CHECK(seen[5] == EBADF);
}
