#include "framework/execution/output.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

// A task that prints without end must not fill the memory, nor the report.
constexpr std::size_t output_size_max = 64 * 1024;

}  // namespace

bool output_capture::prepare(task_id task) {
  if (!null_) null_.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  while (files_.size() <= index(task)) {
    const int fd = ::memfd_create("forkloom output", MFD_CLOEXEC);
    if (fd < 0) return false;
    // Appending keeps the two streams of a task, and those of its exec'd programs, in order.
    ::fcntl(fd, F_SETFL, O_APPEND);  // NOLINT: fcntl is variadic
    files_.emplace_back(fd);
  }
  return true;
}

void output_capture::redirect(task_id task) const noexcept {
  if (null_) sys::call(SYS_dup2, null_.get(), STDIN_FILENO);
  if (index(task) >= files_.size()) return;  // a nested task that came late: it shares its parent's
  const int fd = files_[index(task)].get();
  sys::call(SYS_dup2, fd, STDOUT_FILENO);
  sys::call(SYS_dup2, fd, STDERR_FILENO);
}

std::string output_capture::take(task_id task) {
  std::string text;
  if (index(task) >= files_.size()) return text;
  const int fd = files_[index(task)].get();
  struct stat status {};
  if (::fstat(fd, &status) != 0 || status.st_size == 0) return text;
  text.resize(std::min(static_cast<std::size_t>(status.st_size), output_size_max));
  const auto got = ::pread(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (::ftruncate(fd, 0) != 0) files_.clear();
  return text;
}

}  // namespace forkloom::execution
