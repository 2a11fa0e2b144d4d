// Programs that take the place of the calling process's.
//
// Resource: the program, which is nobody's and only has a name.
// Blocks: nothing.
// Releases: what the kernel gives up for the process: descriptors that are to be closed, mappings,
// robust mutexes. The new image tells of it; see execution/program.hpp.
// Async-signal-safe: memory comes from the kernel or the stack. The search along PATH is that of
// glibc: it goes on where a file is missing or may not be executed.
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <string_view>

#include "framework/execution/call.hpp"
#include "framework/execution/program.hpp"
#include "framework/intercept/exec.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::execve)> real_execve{"execve"};
constinit next<decltype(::execveat)> real_execveat{"execveat"};
constinit next<decltype(::execvpe)> real_execvpe{"execvpe"};
constinit next<decltype(::fexecve)> real_fexecve{"fexecve"};

int execute(int directory, const char* path, char* const* arguments, char* const* environment,
            int flags, const void* site) noexcept {
  const auto program = execution::program_called(path);
  controlled_call call{operation::exec, program, site};
  return call.failed(
      execution::execute_program(directory, path, arguments, environment, flags, program, site));
}

std::size_t count(char* const* list) noexcept {
  std::size_t size = 0;
  while (list[size] != nullptr) ++size;
  return size;
}

// What is no program is a script of the shell.
int execute_by_shell(const char* path, char* const* arguments, char* const* environment) noexcept {
  constexpr std::size_t arguments_max = 4096;
  const auto size = count(arguments);
  if (size >= arguments_max - 1) return E2BIG;
  std::array<const char*, arguments_max> all{_PATH_BSHELL, path};
  if (size > 0) std::copy(arguments + 1, arguments + size + 1, all.begin() + 2);
  return execution::execute_program(AT_FDCWD, _PATH_BSHELL,
                                    const_cast<char* const*>(all.data()),  // NOLINT: as exec has it
                                    environment, 0, execution::program_called(_PATH_BSHELL),
                                    nullptr);
}

// "DIRECTORY/FILE"; false if that is longer than a path may be.
bool join(std::string_view directory, std::string_view file,
          std::array<char, PATH_MAX>& path) noexcept {
  if (directory.size() + file.size() + 2 > path.size()) return false;
  auto* at = std::copy(directory.begin(), directory.end(), path.begin());
  if (!directory.empty()) *at++ = '/';
  at = std::copy(file.begin(), file.end(), at);
  *at = '\0';
  return true;
}

bool goes_on_after(int error) noexcept {
  return error == EACCES || error == ENOENT || error == ENOTDIR || error == ESTALE ||
         error == ENODEV || error == ETIMEDOUT;
}

}  // namespace

int search_and_execute(const char* file, char* const* arguments, char* const* environment,
                       when_no_program otherwise, const void* site) noexcept {
  const auto program = execution::program_called(file);
  const auto attempt = [&](const char* path) {
    const auto error =
        execution::execute_program(AT_FDCWD, path, arguments, environment, 0, program, site);
    return error == ENOEXEC && otherwise == when_no_program::shell
               ? execute_by_shell(path, arguments, environment)
               : error;
  };
  const std::string_view name(file);
  if (name.empty()) return ENOENT;
  if (name.find('/') != std::string_view::npos) return attempt(file);
  const char* variable = std::getenv("PATH");  // NOLINT: as exec(3) says
  std::string_view rest(variable != nullptr ? variable : "/bin:/usr/bin");
  std::array<char, PATH_MAX> path;  // NOLINT: written before it is read
  bool denied = false;
  int error = ENOENT;
  for (;;) {
    const auto directory = rest.substr(0, rest.find(':'));
    error = join(directory, name, path) ? attempt(path.data()) : ENAMETOOLONG;
    if (!goes_on_after(error)) return error;
    denied = denied || error == EACCES;
    if (directory.size() == rest.size()) return denied ? EACCES : error;
    rest.remove_prefix(directory.size() + 1);
  }
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

namespace {

// The arguments of the forms with an ellipsis, in an array that lies on the caller's stack.
#define FORKLOOM_COLLECT(list, first)                                                     \
  va_list list##_arguments;                                                               \
  va_start(list##_arguments, first);                                                      \
  std::size_t list##_size = 1;                                                            \
  while (va_arg(list##_arguments, char*) != nullptr) ++list##_size;                       \
  va_end(list##_arguments);                                                               \
  auto** list = static_cast<char**>(__builtin_alloca((list##_size + 1) * sizeof(char*))); \
  va_start(list##_arguments, first);                                                      \
  list[0] = const_cast<char*>(first);                                                     \
  for (std::size_t i = 1; i <= list##_size; ++i) list[i] = va_arg(list##_arguments, char*)

int run_path(const char* path, char* const* arguments, char* const* environment,
             const void* site) noexcept {
  if (!controlled()) return real_execve(path, arguments, environment);
  return execute(AT_FDCWD, path, arguments, environment, 0, site);
}

int run_file(const char* file, char* const* arguments, char* const* environment,
             const void* site) noexcept {
  if (!controlled()) return real_execvpe(file, arguments, environment);
  controlled_call call{operation::exec, execution::program_called(file), site};
  return call.failed(
      search_and_execute(file, arguments, environment, when_no_program::shell, site));
}

int run_descriptor(int fd, char* const* arguments, char* const* environment,
                   const void* site) noexcept {
  if (fd < 0 || arguments == nullptr || environment == nullptr) {
    errno = EINVAL;
    return -1;
  }
  return execute(fd, "", arguments, environment, AT_EMPTY_PATH, site);
}

}  // namespace

extern "C" {

int execl(const char* path, const char* argument, ...) noexcept {
  FORKLOOM_COLLECT(list, argument);
  va_end(list_arguments);
  return run_path(path, list, environ, __builtin_return_address(0));
}

int execle(const char* path, const char* argument, ...) noexcept {
  FORKLOOM_COLLECT(list, argument);
  char* const* environment = va_arg(list_arguments, char**);
  va_end(list_arguments);
  return run_path(path, list, environment, __builtin_return_address(0));
}

int execlp(const char* file, const char* argument, ...) noexcept {
  FORKLOOM_COLLECT(list, argument);
  va_end(list_arguments);
  return run_file(file, list, environ, __builtin_return_address(0));
}

int execv(const char* path, char* const arguments[]) noexcept {
  return run_path(path, arguments, environ, __builtin_return_address(0));
}

int execve(const char* path, char* const arguments[], char* const environment[]) noexcept {
  return run_path(path, arguments, environment, __builtin_return_address(0));
}

int execveat(int directory, const char* path, char* const arguments[], char* const environment[],
             int flags) noexcept {
  if (!controlled()) return real_execveat(directory, path, arguments, environment, flags);
  return execute(directory, path, arguments, environment, flags, __builtin_return_address(0));
}

int execvp(const char* file, char* const arguments[]) noexcept {
  return run_file(file, arguments, environ, __builtin_return_address(0));
}

int execvpe(const char* file, char* const arguments[], char* const environment[]) noexcept {
  return run_file(file, arguments, environment, __builtin_return_address(0));
}

int fexecve(int fd, char* const arguments[], char* const environment[]) noexcept {
  if (!controlled()) return real_fexecve(fd, arguments, environment);
  return run_descriptor(fd, arguments, environment, __builtin_return_address(0));
}

}  // extern "C"
