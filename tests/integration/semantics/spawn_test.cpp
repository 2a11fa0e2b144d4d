// posix_spawn(3): what is done between its fork and its exec, and how it fails.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "tests/integration/semantics/both.hpp"
#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::notes;
using forkloom::semantics::piped;
using forkloom::semantics::read_one;

struct family : notes {};

class actions {
 public:
  actions() { posix_spawn_file_actions_init(&value); }
  ~actions() { posix_spawn_file_actions_destroy(&value); }
  actions(const actions&) = delete;
  actions& operator=(const actions&) = delete;
  posix_spawn_file_actions_t value{};
};

class attributes {
 public:
  explicit attributes(short flags) {
    posix_spawnattr_init(&value);
    posix_spawnattr_setflags(&value, flags);
  }
  ~attributes() { posix_spawnattr_destroy(&value); }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  posix_spawnattr_t value{};
};

int code_of(pid_t child) {
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// The exit code of "sh -c SCRIPT", or minus the error of the spawn.
int run_shell(const char* script, const posix_spawn_file_actions_t* what = nullptr,
              const posix_spawnattr_t* how = nullptr) {
  std::array<char*, 4> words{const_cast<char*>("sh"), const_cast<char*>("-c"),
                             const_cast<char*>(script), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, "/bin/sh", what, how, words.data(), environ);
  return error != 0 ? -error : code_of(child);
}

int spawn(const char* file, bool along_path, const posix_spawn_file_actions_t* what = nullptr) {
  std::array<char*, 2> words{const_cast<char*>(file), nullptr};
  pid_t child = 0;
  const auto call = along_path ? posix_spawnp : posix_spawn;
  const int error = call(&child, file, what, nullptr, words.data(), environ);
  return error != 0 ? -error : code_of(child);
}

}  // namespace

TEST_CASE("a spawned program runs, and is waited for like any child") {
  const auto seen = both<family>({[](family& w) {
    w.note(0, run_shell("exit 6"));
    w.note(1, spawn("true", true));
    w.note(2, spawn("/bin/false", true));
    w.note_error(3, wait(nullptr));
  }});
  CHECK(seen[0] == 6);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == ECHILD);
}

TEST_CASE("a spawn that fails returns the error of the exec, and leaves no child") {
  const auto seen = both<family>({[](family& w) {
    w.note(0, spawn("/nonexistent", false));
    w.note(1, spawn("/dev/null", false));
    w.note(2, spawn("no-such-program", true));
    w.note_error(3, wait(nullptr));
  }});
  CHECK(seen[0] == -ENOENT);
  CHECK(seen[1] == -EACCES);
  CHECK(seen[2] == -ENOENT);
  CHECK(seen[3] == ECHILD);
}

TEST_CASE("file actions are carried out in their order before the program begins") {
  const auto seen = both<piped>({[](piped& w) {
    const actions what;
    posix_spawn_file_actions_t* list = const_cast<posix_spawn_file_actions_t*>(&what.value);
    posix_spawn_file_actions_adddup2(list, w.out, 1);
    posix_spawn_file_actions_addclose(list, w.out);
    posix_spawn_file_actions_addclose(list, w.in);
    posix_spawn_file_actions_addopen(list, 0, "/etc/passwd", O_RDONLY, 0);
    posix_spawn_file_actions_addchdir_np(list, "/usr");
    w.note(0,
           run_shell("read line && test -n \"$line\" && test \"$(pwd)\" = /usr && printf x", list));
    close(w.out);
    w.note(1, read_one(w.in));
    w.note(2, read_one(w.in));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 0);
}

TEST_CASE("a file action that fails is the error of the spawn") {
  const auto seen = both<family>({[](family& w) {
    actions opens;
    posix_spawn_file_actions_addopen(&opens.value, 0, "/nonexistent", O_RDONLY, 0);
    w.note(0, run_shell("exit 1", &opens.value));
    actions duplicates;
    posix_spawn_file_actions_adddup2(&duplicates.value, 999, 0);
    w.note(1, run_shell("exit 1", &duplicates.value));
    actions closes;
    posix_spawn_file_actions_addclose(&closes.value, 999);
    w.note(2, run_shell("exit 1", &closes.value));
    w.note_error(3, wait(nullptr));
  }});
  CHECK(seen[0] == -ENOENT);
  CHECK(seen[1] == -EBADF);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == ECHILD);
}

TEST_CASE("a descriptor duplicated onto itself stays open in the program") {
  const auto seen = both<piped>({[](piped& w) {
    fcntl(w.out, F_SETFD, FD_CLOEXEC);
    std::array<char, 64> script{};
    std::snprintf(script.data(), script.size(), "test -e /proc/self/fd/%d", w.out);
    w.note(0, run_shell(script.data()));
    actions what;
    posix_spawn_file_actions_adddup2(&what.value, w.out, w.out);
    w.note(1, run_shell(script.data(), &what.value));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 0);
}

TEST_CASE("descriptors from a number on are closed before the program begins") {
  const auto seen = both<piped>({[](piped& w) {
    actions what;
    posix_spawn_file_actions_addclosefrom_np(&what.value, 3);
    std::array<char, 64> script{};
    std::snprintf(script.data(), script.size(), "test ! -e /proc/self/fd/%d", w.out);
    w.note(0, run_shell(script.data(), &what.value));
  }});
  CHECK(seen[0] == 0);
}

TEST_CASE("attributes give the program its group, session and signals") {
  const auto seen = both<family>({[](family& w) {
    const attributes session(POSIX_SPAWN_SETSID);
    w.note(0, run_shell("set -- $(cat /proc/$$/stat); test $6 = $$", nullptr, &session.value));
    const attributes group(POSIX_SPAWN_SETPGROUP);
    w.note(1, run_shell("set -- $(cat /proc/$$/stat); test $5 = $$", nullptr, &group.value));
    signal(SIGTERM, SIG_IGN);
    w.note(2, run_shell("kill -TERM $$; exit 8"));
    attributes defaults(POSIX_SPAWN_SETSIGDEF);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    posix_spawnattr_setsigdefault(&defaults.value, &term);
    w.note(3, run_shell("trap", nullptr, &defaults.value));
    const attributes ids(POSIX_SPAWN_RESETIDS);
    w.note(4, run_shell("exit 9", nullptr, &ids.value));
    attributes mask(POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&mask.value, &term);
    std::array<char*, 5> words{const_cast<char*>("grep"), const_cast<char*>("-q"),
                               const_cast<char*>("SigBlk:.*4000$"),
                               const_cast<char*>("/proc/self/status"), nullptr};
    pid_t child = 0;
    posix_spawnp(&child, "grep", nullptr, &mask.value, words.data(), environ);
    w.note(5, code_of(child));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 8);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 9);
  CHECK(seen[5] == 0);
}

TEST_CASE("programs that are spawned one after the other run beside each other") {
  const auto seen = both<piped>({[](piped& w) {
    actions writes;
    posix_spawn_file_actions_adddup2(&writes.value, w.out, 1);
    std::array<char*, 4> words{const_cast<char*>("sh"), const_cast<char*>("-c"),
                               const_cast<char*>("printf z"), nullptr};
    std::array<pid_t, 3> children{};
    for (auto& child : children)
      posix_spawn(&child, "/bin/sh", &writes.value, nullptr, words.data(), environ);
    close(w.out);
    long sum = 0;
    for (long byte = read_one(w.in); byte > 0; byte = read_one(w.in)) sum += byte;
    w.note(0, sum);
    for (const auto child : children) w.note(1, code_of(child));
  }});
  CHECK(seen[0] == 3 * 'z');
  CHECK(seen[1] == 0);
}
