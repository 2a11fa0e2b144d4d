// A command run as a process of its own, as a user or a script would run it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace forkloom::tests {

struct outcome_of_command {
  int code = 0;  // exit code; 128 + n if signal n ended it
  std::string out;
  std::string err;
};

// A directory that goes away with the test.
class scratch_directory {
 public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class command {
 public:
  // environment: "NAME=value" on top of the test's own; no FORKLOOM_ variable is inherited.
  command(const std::string& binary, std::vector<std::string> arguments,
          std::vector<std::string> environment = {});
  ~command();
  command(const command&) = delete;
  command& operator=(const command&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] outcome_of_command wait();

 private:
  scratch_directory output_;
  pid_t pid_ = -1;
};

// `forkloom …` with the tests' scenarios.
[[nodiscard]] outcome_of_command run_forkloom(const std::vector<std::string>& arguments,
                                              const std::vector<std::string>& environment = {});

// All that a run could leave behind in the system: names in /dev/shm and /dev/mqueue, System V ids.
[[nodiscard]] std::set<std::string> ipc_objects();

}  // namespace forkloom::tests
