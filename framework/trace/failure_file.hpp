// A failure kept in a file: enough to replay it, and what happened when it was found, so that a
// replay that departs can say where. The form is stable:
//
//   {"forkloom_failure": 1, "token": …, "scenario": name, "violations": […], "trace": {…}}
//
// and of programs that were run as they are, "programs": {"commands": [[…], …], …} besides.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "forkloom/violation.hpp"
#include "framework/trace/program_run.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom {

struct failure_file {
  std::string token;
  std::string scenario;
  std::vector<violation> violations;
  trace what_happened;
  std::optional<program_run> programs;  // of a run of programs, not of a scenario
};

// Writes the file, replacing one of that name. Bytes of captured output that are not UTF-8 become
// U+FFFD. Throws internal_error if it cannot be written.
void save_failure(const std::filesystem::path& path, const failure_file& failure);

// Throws usage_error: there is no such file, it is no failure file, it was made by a newer format
// version, or one of its fields is missing or out of range. The token is not decoded.
[[nodiscard]] failure_file load_failure(const std::filesystem::path& path);

}  // namespace forkloom
