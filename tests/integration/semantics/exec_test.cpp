// execve(2) and its family, with programs that know nothing of Forkloom.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "tests/integration/semantics/both.hpp"
#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::named;
using forkloom::semantics::notes;
using forkloom::semantics::piped;
using forkloom::semantics::read_one;
using forkloom::semantics::unseen;

struct family : notes {};

// What a child ends with that does this; each of these functions ends in an exec.
template <class Execute>
int status_of(Execute execute) {
  const auto child = fork();
  if (child == 0) {
    execute();
    _exit(120);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::array<char*, 4> shell(const char* script) {
  return {const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>(script), nullptr};
}

}  // namespace

TEST_CASE("each form of exec runs the program, with its arguments") {
  const auto seen = both<family>({[](family& w) {
    auto arguments = shell("exit 7");
    w.note(0, status_of([] { execl("/bin/sh", "sh", "-c", "exit 1", nullptr); }));
    w.note(1, status_of([] { execlp("sh", "sh", "-c", "exit 2", nullptr); }));
    w.note(2, status_of([] {
             char variable[] = "CODE=3";
             std::array<char*, 2> environment{variable, nullptr};
             execle("/bin/sh", "sh", "-c", "exit $CODE", nullptr, environment.data());
           }));
    w.note(3, status_of([&] { execv("/bin/sh", arguments.data()); }));
    w.note(4, status_of([&] { execvp("sh", arguments.data()); }));
    w.note(5, status_of([&] { execvpe("sh", arguments.data(), environ); }));
    w.note(6, status_of([&] { execve("/bin/sh", arguments.data(), environ); }));
    w.note(7, status_of([&] { fexecve(open("/bin/sh", O_RDONLY), arguments.data(), environ); }));
    w.note(8,
           status_of([&] { execveat(open("/bin", O_PATH), "sh", arguments.data(), environ, 0); }));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 2);
  CHECK(seen[2] == 3);
  for (std::size_t i = 3; i <= 8; ++i) CHECK(seen[i] == 7);
}

TEST_CASE("an exec that fails says why, and the process goes on") {
  const auto seen = both<family>({[](family& w) {
    auto arguments = shell("exit 7");
    w.note_error(0, execv("/nonexistent", arguments.data()));
    w.note_error(1, execv("/dev/null", arguments.data()));
    w.note_error(2, execv("/tmp", arguments.data()));
    w.note_error(3, execvp("no-such-program", arguments.data()));
    w.note_error(4, execvp("", arguments.data()));
    w.note_error(5, execv("/etc/passwd/sh", arguments.data()));
    w.note_error(6, fexecve(unseen(-1), arguments.data(), environ));
    w.note_error(7, execveat(-1, "sh", arguments.data(), environ, 0));
    w.note_error(8, execve(unseen(reinterpret_cast<const char*>(8)), arguments.data(), environ));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == EACCES);
  CHECK(seen[2] == EACCES);
  CHECK(seen[3] == ENOENT);
  CHECK(seen[4] == ENOENT);
  CHECK(seen[5] == ENOTDIR);
  CHECK(seen[6] == EINVAL);
  CHECK(seen[7] == EBADF);
  CHECK(seen[8] == EFAULT);
}

TEST_CASE("what is no program is run by the shell, if the path is searched, and only then") {
  struct script : named {
    script() {
      std::ofstream(path.data()) << "exit 9\n";
      chmod(path.data(), 0700);
    }
  };
  const auto seen = both<script>({[](script& w) {
    auto arguments = shell("unused");
    w.note(0, status_of([&] { execvp(w.path.data(), arguments.data()); }));
    w.note_error(1, execv(w.path.data(), arguments.data()));
  }});
  CHECK(seen[0] == 9);
  CHECK(seen[1] == ENOEXEC);
}

TEST_CASE("a script is run by the interpreter that it names") {
  struct script : named {
    script() {
      std::ofstream(path.data()) << "#!/bin/sh -e\nexit 9\n";
      chmod(path.data(), 0700);
    }
  };
  const auto seen = both<script>({[](script& w) {
    w.note(0, status_of([&] { execl(w.path.data(), w.path.data(), nullptr); }));
  }});
  CHECK(seen[0] == 9);
}

TEST_CASE("a program sees the environment that it was given, and no other") {
  const auto seen = both<family>({[](family& w) {
    char variable[] = "NAME=value";
    std::array<char*, 2> environment{variable, nullptr};
    auto list = shell("test \"$(env | grep -v -E '^(PWD|SHLVL|_|OLDPWD)=')\" = NAME=value");
    w.note(0, status_of([&] { execve("/bin/sh", list.data(), environment.data()); }));
    auto preload = shell(
        "test \"$LD_PRELOAD\" = /nonexistent/x.so && "
        "test -z \"$(env | grep FORKLOOM)\"");
    char library[] = "LD_PRELOAD=/nonexistent/x.so";
    std::array<char*, 2> with_library{library, nullptr};
    w.note(1, status_of([&] { execve("/bin/sh", preload.data(), with_library.data()); }));
    w.note(2, status_of([&] { execve("/bin/true", list.data(), nullptr); }));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("an end of a pipe that is to be closed is closed by the exec, and no other") {
  const auto seen = both<piped>({[](piped& w) {
    fcntl(w.out, F_SETFD, FD_CLOEXEC);
    const auto child = fork();
    if (child == 0) {
      close(w.in);
      execl("/bin/sh", "sh", "-c", "exit 4", nullptr);
    }
    close(w.out);
    w.note(0, read_one(w.in));  // the end of the data, once the child has executed the program
    int status = 0;
    waitpid(child, &status, 0);
    w.note(1, WEXITSTATUS(status));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 4);
}

TEST_CASE("a program reads and writes the pipe that it was given") {
  const auto seen = both<piped>({[](piped& w) {
    const auto child = fork();
    if (child == 0) {
      dup2(w.in, 0);
      close(w.in);
      close(w.out);
      execl("/bin/sh", "sh", "-c", "read x; exit $x", nullptr);
    }
    close(w.in);
    w.note(0, write(w.out, "42\n", 3));
    int status = 0;
    w.note(1, waitpid(child, &status, 0) == child);
    w.note(2, WEXITSTATUS(status));
    close(w.out);
  }});
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 42);
}

TEST_CASE("a program that another one executes is still the same process") {
  const auto seen = both<family>({[](family& w) {
    w.note(0, status_of([] {
             execl("/bin/sh", "sh", "-c", "exec sh -c \"test \\$\\$ = $$\"", nullptr);
           }));
  }});
  CHECK(seen[0] == 0);
}

TEST_CASE("a program executed by a thread takes the place of all threads of its process") {
  const auto seen = both<piped>({[](piped& w) {
    const auto child = fork();
    if (child == 0) {
      close(w.in);
      fcntl(w.out, F_SETFD, FD_CLOEXEC);
      std::thread sleeper([] { sleep(1000); });
      std::thread([] { execl("/bin/sh", "sh", "-c", "exit 5", nullptr); }).join();
      sleeper.join();
    }
    close(w.out);
    int status = 0;
    w.note(0, waitpid(child, &status, 0) == child);
    w.note(1, status);
    w.note(2, read_one(w.in));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 5 << 8);
  CHECK(seen[2] == 0);
}
