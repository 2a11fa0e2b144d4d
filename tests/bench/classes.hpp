// Does dpor explore as many classes as there are?
#pragma once

#include <string>

#include "framework/explore/worker.hpp"

namespace forkloom::bench {

// A row for each program: its interleavings and, of those, the classes, as far as a search of all
// of them can be waited for; the classes counted by hand; those that dpor finds, and how many
// executions it needed besides; and whether all agree.
[[nodiscard]] std::string table_of_classes(const explore::worker_context& context, bool as_json);

}  // namespace forkloom::bench
