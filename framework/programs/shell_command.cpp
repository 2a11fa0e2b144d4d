#include "framework/programs/shell_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "framework/execution/unique_fd.hpp"

namespace forkloom::programs {
namespace {

using execution::unique_fd;

constexpr int patience_s = 60;
constexpr std::size_t output_size_max = 4096;

[[noreturn]] void be_shell(const std::string& command, int output) noexcept {
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);  // NOLINT: execl is variadic
  ::_exit(127);
}

bool has_ended(const unique_fd& process) noexcept {
  pollfd end{process.get(), POLLIN, 0};
  return ::poll(&end, 1, patience_s * 1'000) > 0;
}

std::string content(const unique_fd& file) {
  std::string text(output_size_max, '\0');
  const auto got = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

std::string describe(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

shell_result run_shell(const std::string& command) {
  const unique_fd output(::memfd_create("forkloom command", MFD_CLOEXEC));
  const auto shell = ::fork();
  if (shell < 0) return {false, fmt::format("no process: {}", std::strerror(errno)), {}};
  if (shell == 0) be_shell(command, output.get());
  const unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, shell, 0)));
  const bool in_time = has_ended(process);
  if (!in_time) ::kill(shell, SIGKILL);
  int status = 0;
  while (::waitpid(shell, &status, 0) < 0 && errno == EINTR) continue;
  if (!in_time) return {false, fmt::format("no end within {} s", patience_s), content(output)};
  return {status == 0, describe(status), content(output)};
}

}  // namespace forkloom::programs
