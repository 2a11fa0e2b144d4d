#include "forkloom/faults.hpp"

#include "framework/execution/arena.hpp"
#include "framework/trace/fault_plan.hpp"

namespace forkloom {

unsigned faults_happened(std::string_view kind) {
  const auto which = index(fault_named(kind));
  const auto* a = execution::current_arena();
  if (a == nullptr || a->config.faults.most[which] == 0) return 0;
  return a->config.faults.most[which] - unsigned{a->faults.left[which]};
}

}  // namespace forkloom
