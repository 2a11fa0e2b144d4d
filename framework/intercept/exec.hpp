// The search for a program along PATH, for the families that execute one.
#pragma once

#include <cstdint>

namespace forkloom::intercept {

// What is done with a file that is neither a program nor a script with "#!".
enum class when_no_program : std::uint8_t { fail, shell };

// As execvpe(3), in a task, with no scheduling point. Returns the error number.
[[nodiscard]] int search_and_execute(const char* file, char* const* arguments,
                                     char* const* environment, when_no_program otherwise,
                                     const void* site) noexcept;

}  // namespace forkloom::intercept
