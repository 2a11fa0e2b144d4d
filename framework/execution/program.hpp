// A task executes a program, which goes on as the same task.
//
// The old image makes the dynamic linker load the interception library into the new one, and tells
// it by the environment where the arena is and which task it becomes (program_environment.hpp).
// There a constructor that runs before all others maps the arena, at the address where it has
// always been. The task holds the token all the while, so nobody else runs, and what exec changed
// for others (descriptors closed, mappings gone, robust mutexes given up) is told by its first
// events.
#pragma once

#include <string_view>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// As execveat(2), with no scheduling point of its own. Returns the error number; on success it does
// not return. A program that cannot be followed is run all the same, and noted as uncontrolled: it
// runs from beginning to end while the task holds the token. Async-signal-safe.
// program, site: for the event, which is written by the new image.
[[nodiscard]] int execute_program(int directory, const char* path, char* const* arguments,
                                  char* const* environment, int flags, resource_id program,
                                  const void* site) noexcept;

// The program as a resource: reports call it by the last part of its path.
[[nodiscard]] resource_id program_called(const char* path) noexcept;

// In the controller: tasks may execute programs, with this very library in them. False if its path
// cannot stand in LD_PRELOAD.
[[nodiscard]] bool let_programs_follow(arena& a) noexcept;

// The last part of the program's path, as reports call it.
[[nodiscard]] std::string_view base_name(const char* path) noexcept;

}  // namespace forkloom::execution
