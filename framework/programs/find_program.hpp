// Where a program is, before anything is run.
#pragma once

#include <string>

namespace forkloom::programs {

// The path of the program that execvp(3) would run: the name itself if there is a '/' in it, else
// the first executable file of that name along PATH. Throws usage_error if there is none.
[[nodiscard]] std::string find_program(const std::string& name);

// Throws usage_error if Forkloom cannot follow into the program at that path; the message says why,
// and what to do.
void require_program(const std::string& path);

}  // namespace forkloom::programs
