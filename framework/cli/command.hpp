// The forkloom command as a function. docs/command.md is its contract.
#pragma once

namespace forkloom::cli {

// What the process exits with. 128 + n after signal n.
namespace exit_code {
inline constexpr int as_expected = 0;
inline constexpr int violation = 1;
inline constexpr int usage = 2;
inline constexpr int internal = 3;
}  // namespace exit_code

// Runs the command on the scenarios of this binary and returns its exit code. Errors are on stderr.
[[nodiscard]] int run_command(int argc, char** argv) noexcept;

}  // namespace forkloom::cli
