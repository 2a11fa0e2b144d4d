// Where the kernel has no syscall user dispatch, or a sandbox forbids it.
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstddef>
#include <cstdio>

#include "tests/integration/semantics/both.hpp"

namespace {

using namespace forkloom;

// From now on the kernel is too old, for this process and all that come of it.
bool forbid_dispatch() {
  constexpr auto number = offsetof(seccomp_data, nr);
  constexpr auto first_argument = offsetof(seccomp_data, args);
  std::array<sock_filter, 6> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, first_argument),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SYSCALL_USER_DISPATCH, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

explore::campaign_result explore_pipe() {
  scenario_info info{.name = "untrapped",
                     .tags = {},
                     .file = __FILE__,
                     .line = __LINE__,
                     .body =
                         [](scenario& s) {
                           s.process("task", [] {
                             std::array<int, 2> ends{};
                             expect(pipe(ends.data()) == 0);
                             expect(write(ends[1], "x", 1) == 1);
                             auto* in = fdopen(ends[0], "r");
                             expect(fgetc(in) == 'x');
                           });
                         },
                     .defaults = {}};
  info.defaults.executions = 2;
  info.defaults.checkers = {"expectation", "deadlock", "exit", "crash", "hang"};
  return explore::run_campaign(info, info.defaults);
}

}  // namespace

TEST_CASE("where the kernel cannot trap calls, the report says that libc's are not seen") {
  CHECK(explore_pipe().uncontrolled.empty());
  const auto child = fork();
  if (child == 0) {
    if (!forbid_dispatch()) _exit(1);
    const auto result = explore_pipe();
    if (result.how != explore::verdict::as_expected) _exit(2);
    if (result.uncontrolled.size() != 1) _exit(3);
    _exit(result.uncontrolled[0].starts_with("system calls made inside libc") ? 0 : 4);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
