#include "framework/trace/trace.hpp"

namespace forkloom {

std::string trace::source(const event& what) const {
  const auto found = sources.find(what.site);
  return found == sources.end() ? std::string{} : found->second;
}

std::string trace::task_name(task_id task) const {
  return index(task) < tasks.size() ? tasks[index(task)].name : "the scenario";
}

std::string trace::resource_name(resource_id resource) const {
  return index(resource) < resources.size() ? resources[index(resource)].name : std::string{};
}

}  // namespace forkloom
