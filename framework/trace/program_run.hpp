// Programs that are run as they are, and what is to hold of them: the part of a campaign that a
// scenario would otherwise declare. A plain value, which failure files keep.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace forkloom {

struct program_run {
  std::vector<std::vector<std::string>> commands;  // each a program and its arguments
  std::vector<int> exit_codes;  // what they shall exit with: one for all, or one for each; else 0
  std::vector<std::string> expected_output;   // each must stand in what one of them writes
  std::vector<std::string> forbidden_output;  // none may
  std::string setup;      // shell commands, outside of control: before each execution …
  std::string check;      // … after it, and what it exits with is judged …
  std::string cleanup;    // … and after that, however it went; empty: none
  std::string directory;  // where they are run

  friend bool operator==(const program_run&, const program_run&) = default;
};

// The words after "--": programs with their arguments, "::" between them. Throws usage_error if
// one is empty.
[[nodiscard]] std::vector<std::vector<std::string>> split_commands(
    std::span<const std::string> words);

// A word as a shell takes it for that very word.
[[nodiscard]] std::string quoted_for_shell(const std::string& word);

// "./server 5000 :: ./client 5000": what the scenario is called.
[[nodiscard]] std::string scenario_name(const program_run& run);

// What `forkloom replay TOKEN` needs besides: " --check CMD -- ./server 5000 :: ./client 5000".
[[nodiscard]] std::string replay_arguments(const program_run& run);

// The tasks' names: the programs', the scripts' of an interpreter, numbered from 0 where several
// have the same.
[[nodiscard]] std::vector<std::string> task_names(const program_run& run);

// The exit code that the program of that number shall have.
[[nodiscard]] int expected_exit(const program_run& run, std::size_t number);

void to_json(nlohmann::json& json, const program_run& run);
void from_json(const nlohmann::json& json, program_run& run);

}  // namespace forkloom
