// system(3), popen(3) and daemon(3).
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <set>

#include "tests/integration/memory/traced.hpp"
#include "tests/integration/semantics/both.hpp"
#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;
using forkloom::semantics::piped;
using forkloom::semantics::read_one;
using forkloom::semantics::unseen;

struct family : notes {};

}  // namespace

TEST_CASE("system returns how the shell ended, and whether there is one") {
  const auto seen = both<family>({[](family& w) {
    w.note(0, system("exit 3"));
    w.note(1, system("true"));
    w.note(2, system("kill -9 $$"));
    w.note(3, system("no-such-command 2> /dev/null"));
    w.note(4, system(nullptr));
    w.note_error(5, wait(nullptr));
  }});
  CHECK(seen[0] == 3 << 8);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == SIGKILL);
  CHECK(seen[3] == 127 << 8);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == ECHILD);
}

TEST_CASE("system waits for its own shell and leaves other children alone") {
  const auto seen = both<family>({[](family& w) {
    const auto child = fork();
    if (child == 0) _exit(4);
    w.note(0, system("exit 5"));
    int status = 0;
    w.note(1, wait(&status) == child);
    w.note(2, status);
  }});
  CHECK(seen[0] == 5 << 8);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 4 << 8);
}

TEST_CASE("system leaves its caller's signals as they were") {
  const auto seen = both<family>({[](family& w) {
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_IGN);
    w.note(0, system("exit 0"));
    struct sigaction action {};
    sigaction(SIGINT, nullptr, &action);
    w.note(1, action.sa_handler == SIG_DFL);
    sigaction(SIGQUIT, nullptr, &action);
    w.note(2, action.sa_handler == SIG_IGN);
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, nullptr, &blocked);
    w.note(3, sigismember(&blocked, SIGCHLD));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
}

TEST_CASE("what a command writes is read from popen's stream, up to its end") {
  const auto seen = both<family>({[](family& w) {
    FILE* stream = popen("printf ab; exit 6", "r");
    w.note(0, stream != nullptr);
    w.note(1, read_one(fileno(stream)));
    w.note(2, read_one(fileno(stream)));
    w.note(3, read_one(fileno(stream)));
    w.note(4, pclose(stream));
    w.note_error(5, wait(nullptr));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'a');
  CHECK(seen[2] == 'b');
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 6 << 8);
  CHECK(seen[5] == ECHILD);
}

TEST_CASE("lines pass between the streams of a command and those of its caller") {
  const auto seen = both<family>({[](family& w) {
    FILE* stream = popen("printf 'b\nc\na\n' | sort", "r");
    std::array<char, 8> line{};
    for (std::size_t i = 0; i < 3; ++i)
      w.note(i, fgets(line.data(), line.size(), stream) != nullptr ? line[0] : 0);
    w.note(3, fgets(line.data(), line.size(), stream) != nullptr);
    w.note(4, feof(stream) != 0);
    w.note(5, pclose(stream));
    stream = popen("sort -c 2>/dev/null", "w");
    fputs("a\nc\nb\n", stream);
    w.note(6, pclose(stream));
  }});
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 'b');
  CHECK(seen[2] == 'c');
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 1 << 8);
}

TEST_CASE("what a command does with its streams is seen, and nothing of it passes") {
  const auto what = forkloom::testing::trace_of({[] {
    FILE* stream = popen("printf 'b\na\n' | sort", "r");
    std::array<char, 8> line{};
    while (fgets(line.data(), line.size(), stream) != nullptr) continue;
    pclose(stream);
  }});
  CHECK(what.how == forkloom::ending::finished);
  CHECK(what.passed.empty());
  // Of the caller, the shell and what it executes: who moved bytes through the pipes.
  std::set<forkloom::task_id> readers;
  std::set<forkloom::task_id> writers;
  for (const auto& e : what.events) {
    if (e.how != forkloom::outcome::completed || e.result <= 0) continue;
    if (e.op == forkloom::operation::read) readers.insert(e.task);
    if (e.op == forkloom::operation::write) writers.insert(e.task);
  }
  CHECK(readers.size() == 2);
  CHECK(writers.size() == 2);
}

TEST_CASE("what is written to popen's stream is read by the command, when it is flushed") {
  const auto seen = both<family>({[](family& w) {
    FILE* stream = popen("read x && exit $x", "w");
    fputs("17\n", stream);
    w.note(0, pclose(stream));
  }});
  CHECK(seen[0] == 17 << 8);
}

TEST_CASE("a command does not inherit the streams of others") {
  const auto seen = both<family>({[](family& w) {
    FILE* first = popen("cat > /dev/null", "w");
    FILE* second = popen("read x", "w");  // would keep the first one's pipe open
    w.note(0, pclose(first));
    w.note(1, pclose(second));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1 << 8);
}

TEST_CASE("popen's mode is r or w, with e for a descriptor that programs do not get") {
  const auto seen = both<family>({[](family& w) {
    errno = 0;
    w.note(0, popen("true", unseen("rw")) == nullptr ? errno : 0);
    w.note(1, popen("true", unseen("x")) == nullptr ? errno : 0);
    FILE* kept = popen("true", "r");
    FILE* closed = popen("true", "re");
    w.note(2, fcntl(fileno(kept), F_GETFD));
    w.note(3, fcntl(fileno(closed), F_GETFD));
    w.note(4, pclose(kept));
    w.note(5, pclose(closed));
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == FD_CLOEXEC);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
}

TEST_CASE("a daemon goes on in a session of its own when its parent has ended") {
  const auto seen = both<piped>({[](piped& w) {
    const auto child = fork();
    if (child == 0) {
      close(w.in);
      const auto before = getpid();
      const int result = daemon(0, 0);
      std::array<char, 8> folder{};
      const bool good = result == 0 && getpid() != before && getsid(0) != before &&
                        getcwd(folder.data(), folder.size()) != nullptr &&
                        std::strcmp(folder.data(), "/") == 0;
      if (write(w.out, good ? "+" : "-", 1) != 1) _exit(1);
      _exit(0);
    }
    close(w.out);
    int status = -1;
    w.note(0, waitpid(child, &status, 0) == child);
    w.note(1, status);
    w.note(2, read_one(w.in));
    w.note(3, read_one(w.in));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == '+');
  CHECK(seen[3] == 0);
}
