// A shell command that the user gave, run by the worker: in the namespaces of the executions, and
// outside of Forkloom's control.
#pragma once

#include <string>

namespace forkloom::programs {

struct shell_result {
  bool success = false;
  std::string how;     // "exit code 3", "signal 9 (Killed)", "no end within 60 s"
  std::string output;  // the beginning of what it wrote to stdout and stderr
};

// Runs it with sh -c and waits for it.
[[nodiscard]] shell_result run_shell(const std::string& command);

}  // namespace forkloom::programs
