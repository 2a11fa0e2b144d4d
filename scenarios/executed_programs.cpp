// A server that hands a pipe's writing end to nobody, and yet the reader never sees the end of the
// data: a program that it executed has inherited the end, and does not know (open(2), O_CLOEXEC).
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "forkloom/scenario.hpp"

namespace {

// The helper lives as long as its stdin is open, and the reader as long as the data: so each waits
// for the other if the helper has inherited the data's writing end.
void serve(int flags) {
  std::array<int, 2> data{};
  std::array<int, 2> orders{};
  forkloom::expect(pipe2(data.data(), flags) == 0 && pipe2(orders.data(), O_CLOEXEC) == 0);
  const auto helper = fork();
  if (helper == 0) {
    dup2(orders[0], STDIN_FILENO);
    execl("/bin/cat", "cat", nullptr);
    _exit(127);
  }
  close(orders[0]);
  close(data[1]);
  char byte = 0;
  forkloom::expect(read(data[0], &byte, 1) == 0);
  close(data[0]);
  close(orders[1]);
  int status = -1;
  waitpid(helper, &status, 0);
  forkloom::expect(status == 0);
}

}  // namespace

FORKLOOM_SCENARIO("a program that inherits an end of a pipe", "[exec][pipe][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  scenario.process("server", [] { serve(0); });
}

FORKLOOM_SCENARIO("a program that inherits only what it needs", "[exec][pipe][correct]") {
  scenario.process("server", [] { serve(O_CLOEXEC); });
}
