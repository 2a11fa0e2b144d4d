#include "framework/programs/find_program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "forkloom/error.hpp"
#include "framework/execution/program_file.hpp"

namespace forkloom::programs {
namespace {

using execution::obstacle;

// Why the file at that path cannot be executed; empty if it can.
std::string refusal(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::strerror(errno);
  if (S_ISDIR(status.st_mode)) return "it is a directory";
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  if (::access(path.c_str(), X_OK) != 0)
    return "it is not executable; chmod +x, or name its interpreter first";
  return {};
}

std::string_view advice(obstacle what) {
  switch (what) {
    case obstacle::statically_linked:
      return "Forkloom needs the dynamic linker: link the program dynamically";
    case obstacle::foreign_machine:
      return "build it for x86-64";
    case obstacle::foreign_library:
      return "build it against glibc";
    case obstacle::privileged:
      return "the dynamic linker loads nothing into such programs: run a copy without the bit or "
             "the capabilities";
    case obstacle::not_a_program:
      return "begin the script with a line like #!/bin/sh, or name its interpreter first";
    default:
      return "";
  }
}

}  // namespace

std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (const auto why = refusal(name); !why.empty())
      throw usage_error(fmt::format("cannot run {}: {}", name, why));
    return name;
  }
  const char* variable = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string_view rest(variable != nullptr ? variable : "/bin:/usr/bin");
  for (;;) {
    const auto directory = rest.substr(0, rest.find(':'));
    auto path = directory.empty() ? "./" + name : fmt::format("{}/{}", directory, name);
    if (refusal(path).empty()) return path;
    if (directory.size() == rest.size()) break;
    rest.remove_prefix(directory.size() + 1);
  }
  const bool here = ::access(name.c_str(), F_OK) == 0;
  throw usage_error(fmt::format("cannot run {}: no directory in PATH has a program of that name{}",
                                name, here ? fmt::format("; did you mean ./{}?", name) : ""));
}

void require_program(const std::string& path) {
  const auto found = execution::inspect_program(AT_FDCWD, path.c_str(), 0);
  if (found.what == obstacle::none) return;
  const std::string_view interpreter(found.interpreter.data());
  auto text = fmt::format("cannot run {}: ", path);
  if (found.what == obstacle::no_such_interpreter)
    text += fmt::format("its interpreter {} is not there", interpreter);
  else
    text += fmt::format("{} {}",
                        interpreter.empty() ? "it" : "its interpreter " + std::string(interpreter),
                        execution::describe(found.what));
  if (const auto what_to_do = advice(found.what); !what_to_do.empty())
    text += fmt::format("; {}", what_to_do);
  throw usage_error(text);
}

}  // namespace forkloom::programs
