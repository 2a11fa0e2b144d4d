// What System V calls ask for, in words.
#pragma once

#include <string>

#include "framework/trace/event.hpp"

namespace forkloom::report {

// What the call asks for besides its object: "[0]-1 undo", "GETVAL [2]", "type 7, 12 bytes". Empty
// if the call's name says it all.
[[nodiscard]] std::string describe_request(const event& e);

// Does this semctl return a number that is the same in every run?
[[nodiscard]] bool asks_for_number(const event& e);

}  // namespace forkloom::report
