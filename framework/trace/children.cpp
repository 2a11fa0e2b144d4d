#include "framework/trace/children.hpp"

namespace forkloom {

std::vector<resource_id> resources_of_children(const trace& what) {
  std::vector<resource_id> found(what.tasks.size(), no_resource);
  for (const auto& e : what.events) {
    if (e.op != operation::fork || index(e.task) >= what.tasks.size()) continue;
    const auto main = what.tasks[index(e.task)].thread_of;
    const auto process = main == no_task ? e.task : main;
    if (index(process) < found.size()) found[index(process)] = e.resource;
  }
  return found;
}

}  // namespace forkloom
