// The part of a command line that is about programs: what follows "--", and the options that say
// what is to hold of them.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/trace/program_run.hpp"

namespace forkloom::cli {

// Options as they were typed; those that were not given are empty.
struct program_texts {
  std::optional<std::string> expect_exit, setup, check, cleanup;
  std::vector<std::string> expect_output, forbid_output;
};

void add_program_options(CLI::App& app, program_texts& texts);

// The programs of the command line, if it has a "--". Throws usage_error if it has none and one of
// the options all the same, or if a value is not what it should be.
[[nodiscard]] std::optional<program_run> programs_of(
    const program_texts& texts, const std::optional<std::vector<std::string>>& words);

}  // namespace forkloom::cli
