// Can Forkloom follow a task into that program? It needs the dynamic linker, which loads the
// interception library first.
//
// Async-signal-safe: nothing is allocated, errno is left alone.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace forkloom::execution {

enum class obstacle : std::uint8_t {
  none,
  no_such_file,           // or it cannot be read: the kernel will say what is wrong
  not_a_program,          // neither ELF nor a script with "#!"
  statically_linked,      // no dynamic linker, so nothing can be loaded before it
  foreign_machine,        // for another processor, or 32 bits
  foreign_library,        // its dynamic linker is not that of glibc
  privileged,             // set-uid, set-gid or with capabilities: the linker loads nothing then
  no_such_interpreter,    // "#!" names a file that is not there
  too_many_interpreters,  // scripts that are interpreted by scripts, deeper than the kernel goes
};

struct program_inspection {
  obstacle what = obstacle::none;
  std::array<char, 256> interpreter{};  // of a script: what is wrong is wrong with it
};

// The program that execveat(2) would run for these arguments; scripts by their interpreter.
[[nodiscard]] program_inspection inspect_program(int directory, const char* path,
                                                 int flags) noexcept;

// "is statically linked": what is wrong, to follow the program's name.
[[nodiscard]] std::string_view describe(obstacle what) noexcept;

}  // namespace forkloom::execution
