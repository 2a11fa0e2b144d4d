// Ending an execution from within a task.
#pragma once

#include <cstdint>
#include <string_view>

#include "framework/trace/trace.hpp"

namespace forkloom::execution {

// Records a failure of the calling thread. If it is a task, the execution ends here and the call
// does not return; in the controller it returns.
void stop_execution(failure_record::what kind, std::string_view file, std::uint32_t line,
                    std::string_view text) noexcept;

}  // namespace forkloom::execution
