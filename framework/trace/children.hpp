// Which resource stands for the children of each process.
//
// A child ends there, and its parent waits for it there. The parent's own end is not an operation
// on it, but what it finds differs: a child that has died and was not waited for, or one that lives
// on.
#pragma once

#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom {

// By task. no_resource for processes that have made none, and for all threads but the main one.
[[nodiscard]] std::vector<resource_id> resources_of_children(const trace& what);

}  // namespace forkloom
