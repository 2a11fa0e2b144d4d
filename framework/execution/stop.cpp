#include "framework/execution/stop.hpp"

#include <cstdio>

#include "framework/execution/call.hpp"
#include "framework/execution/failure.hpp"
#include "framework/execution/scheduler.hpp"

namespace forkloom::execution {

void stop_execution(failure_record::what kind, std::string_view file, std::uint32_t line,
                    std::string_view text) noexcept {
  auto* a = current_arena();
  if (a == nullptr) return;
  record_failure(*a, self(), kind, file, line, text);
  if (self() == no_task) return;
  std::fflush(nullptr);  // what it printed until here is part of the report
  end_execution(*a, ending::stopped);
  pass_token(*a, self(), no_task);
}

}  // namespace forkloom::execution
