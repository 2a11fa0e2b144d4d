#include "tests/acceptance/command_run.hpp"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

extern char** environ;

namespace forkloom::tests {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (auto& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with("FORKLOOM_")) all.emplace_back(*entry);
  return all;
}

std::string content(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Other tests of the machine make and remove objects, too. Where that is allowed, this process and
// the commands that it runs get a /dev/shm and System V ids of their own.
bool leave_the_host() {
  return unshare(CLONE_NEWIPC | CLONE_NEWNS) == 0 &&
         mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, nullptr) == 0;
}

}  // namespace

scratch_directory::scratch_directory() {
  auto name = (std::filesystem::temp_directory_path() / "forkloom-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch directory");
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

command::command(const std::string& binary, std::vector<std::string> arguments,
                 std::vector<std::string> environment) {
  arguments.insert(arguments.begin(), binary);
  for (auto& inherited : own_environment()) environment.push_back(std::move(inherited));
  // The first of a name counts. Tests that are not about shrinking have no time for it.
  environment.emplace_back("FORKLOOM_SHRINK=0");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
  const auto out = (output_.path() / "out").string();
  const auto err = (output_.path() / "err").string();
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), flags, 0600);
  const int error = posix_spawn(&pid_, binary.c_str(), &actions, nullptr,
                                pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot run " + binary);
}

command::~command() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

outcome_of_command command::wait() {
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("the command is gone");
  pid_ = -1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, content(output_.path() / "out"), content(output_.path() / "err")};
}

outcome_of_command run_forkloom(const std::vector<std::string>& arguments,
                                const std::vector<std::string>& environment) {
  return command(FORKLOOM_FIXTURES, arguments, environment).wait();
}

std::set<std::string> ipc_objects() {
  [[maybe_unused]] static const bool apart = leave_the_host();
  std::set<std::string> found;
  for (const auto* directory : {"/dev/shm", "/dev/mqueue"}) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored))
      found.insert(entry.path().string());
  }
  for (const auto* table : {"/proc/sysvipc/shm", "/proc/sysvipc/sem", "/proc/sysvipc/msg"}) {
    std::istringstream rows(content(table));
    std::string row;
    std::getline(rows, row);  // the heading
    for (std::string key, id; rows >> key >> id && std::getline(rows, row);)
      found.insert(std::string(table) + " " + id);
  }
  return found;
}

}  // namespace forkloom::tests
