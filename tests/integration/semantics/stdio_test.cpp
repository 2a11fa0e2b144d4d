// Streams of stdio on pipes: libc reads, writes and closes for them without a call that could be
// intercepted.
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

}  // namespace

TEST_CASE("fgets on an empty pipe waits until a line is written") {
  const auto seen = both<piped>({
      [](piped& w) {
        auto* in = fdopen(w.in, "r");
        std::array<char, 16> line{};
        w.next_call_waits();
        w.note(0, fgets(line.data(), line.size(), in) == line.data());
        w.call_has_ended();
        w.note(1, std::strcmp(line.data(), "ping\n"));
        fclose(in);
      },
      [](piped& w) {
        w.await_waiter();
        w.note(2, write(w.out, "ping\n", 5));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 5);
}

TEST_CASE("fread waits for all it was asked for, or the end of the data") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        auto* in = fdopen(w.in, "r");
        std::array<char, 8> bytes{};
        w.note(0, static_cast<long>(fread(bytes.data(), 1, 4, in)));
        w.note(1, std::memcmp(bytes.data(), "abcd", 4));
        w.note(2, static_cast<long>(fread(bytes.data(), 1, 4, in)));
        w.note(3, feof(in) != 0);
        fclose(in);
      },
      [](piped& w) {
        w.write_only();
        for (const auto* part : {"ab", "cd", "e"}) write(w.out, part, std::strlen(part));
      },
  });
  CHECK(seen[0] == 4);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("fprintf to a full pipe waits until somebody reads") {
  const auto seen = both<piped>({
      [](piped& w) {
        auto* out = fdopen(w.out, "w");
        const std::string much(static_cast<std::size_t>(w.capacity()), 'x');
        w.note(0, fprintf(out, "%s", much.c_str()) == w.capacity());
        w.note(1, fflush(out));
        w.note(2, fprintf(out, "last\n"));
        w.next_call_waits();
        w.note(3, fflush(out));
        w.call_has_ended();
        fclose(out);
      },
      [](piped& w) {
        w.await_waiter();
        const auto capacity = w.capacity();
        close(w.out);
        std::array<char, 4096> some{};
        long total = 0;
        for (long got = 0; (got = read(w.in, some.data(), some.size())) > 0;) total += got;
        w.note(4, total == capacity + 5);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 5);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
}

TEST_CASE("getline returns whole lines, however they were written, and -1 at the end") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        auto* in = fdopen(w.in, "r");
        char* line = nullptr;
        std::size_t room = 0;
        w.note(0, getline(&line, &room, in));
        w.note(1, getline(&line, &room, in));
        w.note(2, getline(&line, &room, in));
        std::free(line);
        fclose(in);
      },
      [](piped& w) {
        w.write_only();
        auto* out = fdopen(w.out, "w");
        for (const auto* part : {"fir", "st\nsec", "ond\n"}) {
          fputs(part, out);
          fflush(out);
        }
        fclose(out);
      },
  });
  CHECK(seen[0] == 6);
  CHECK(seen[1] == 7);
  CHECK(seen[2] == -1);
}

TEST_CASE("the close of a stream is the close of its pipe, and what is buffered goes before it") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.note(0, read_one(w.in));
        w.note(1, read_one(w.in));
        w.note(2, read_one(w.in));
      },
      [](piped& w) {
        close(w.in);
        auto* out = fdopen(w.out, "w");
        w.note(3, fputs("ab", out) >= 0);
        w.note(4, fclose(out));
      },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 'b');
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
}

TEST_CASE("exit() flushes a stream before the process ends") {
  const auto seen = both<piped>({
      [](piped& w) {
        w.read_only();
        w.note(0, read_one(w.in));
        w.note(1, read_one(w.in));
      },
      [](piped& w) {
        const auto child = fork();
        if (child == 0) {
          fputs("a", fdopen(w.out, "w"));
          exit(0);
        }
        close(w.out);
        int status = 0;
        w.note(2, waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
      },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
}

TEST_CASE("fopen of a FIFO waits for the other side") {
  const auto seen = both<fifo>({
      [](fifo& w) {
        w.next_call_waits();
        auto* in = fopen(w.path.data(), "r");
        w.call_has_ended();
        w.note(0, in != nullptr);
        w.note(1, fgetc(in));
        w.note(2, fgetc(in));
        fclose(in);
      },
      [](fifo& w) {
        w.await_waiter();
        auto* out = fopen(w.path.data(), "w");
        w.note(3, fputc('x', out));
        fclose(out);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == EOF);
  CHECK(seen[3] == 'x');
}

TEST_CASE("a stream is read also when all signals are blocked") {
  const auto seen = both<piped>({
      [](piped& w) {
        sigset_t all;
        sigfillset(&all);
        w.note(0, sigprocmask(SIG_SETMASK, &all, nullptr));
        auto* in = fdopen(w.in, "r");
        w.next_call_waits();
        w.note(1, fgetc(in));
        w.call_has_ended();
        sigset_t now;
        sigprocmask(SIG_SETMASK, nullptr, &now);
        w.note(2, sigismember(&now, SIGUSR1));
        w.note(3, sigismember(&now, SIGKILL));
        fclose(in);
      },
      [](piped& w) {
        w.await_waiter();
        w.note(4, write(w.out, "x", 1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}
