#include "framework/explore/search_tally.hpp"

#include <fmt/format.h>

#include "forkloom/error.hpp"

namespace forkloom::explore {

void search_tally::require_few_tasks(const trace& what) {
  if (what.tasks.size() > systematic_tasks_max)
    throw usage_error(fmt::format(
        "this scenario has {} tasks, and dfs and dpor follow at most {}: give it fewer, "
        "or use another strategy",
        what.tasks.size(), systematic_tasks_max));
}

void search_tally::count(const trace& what, bool violated) {
  ++executions_;
  if (violated) ++violating_;
  if (what.how != ending::step_limit) return;
  ++cut_off_;
  limit_ = what.detail;
}

std::string search_tally::violations() const {
  if (violating_ == 0) return ", none violates";
  return fmt::format(", {} of them violate{}", violating_, violating_ == 1 ? "s" : "");
}

std::string search_tally::reservations() const {
  std::string text;
  if (cut_off_ > 0)
    text += fmt::format("; {} of them {} cut off after {}, and what may come later is not known",
                        cut_off_, cut_off_ == 1 ? "was" : "were", limit_);
  if (departures_ > 0)
    text += fmt::format(
        "; {} execution{} departed from the course: the scenario depends on something that "
        "Forkloom "
        "does not control, so this is not all",
        departures_, departures_ == 1 ? "" : "s");
  return text;
}

}  // namespace forkloom::explore
