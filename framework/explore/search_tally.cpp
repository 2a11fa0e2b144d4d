#include "framework/explore/search_tally.hpp"

#include <fmt/format.h>

#include "forkloom/error.hpp"
#include "framework/trace/counted.hpp"

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

std::string search_tally::violations(std::uint64_t of) const {
  if (violating_ == 0) return of == 1 ? ", it does not violate" : ", none violates";
  if (of == 1) return ", it violates";
  return fmt::format(", {} of them violate{}", violating_, violating_ == 1 ? "s" : "");
}

std::string search_tally::all_of(std::uint64_t count, bool classes) {
  if (count == 1)
    return classes ? "the only interleaving (happens-before class)" : "the only interleaving";
  return "all " + some_of(count, classes);
}

std::string search_tally::some_of(std::uint64_t count, bool classes) {
  auto text = counted(count, "interleaving");
  if (classes) text += count == 1 ? " (happens-before class)" : " (happens-before classes)";
  return text;
}

std::string search_tally::repeated(std::uint64_t executions, std::uint64_t classes) {
  if (executions <= classes) return {};
  return fmt::format("; {} repeated {}", counted(executions - classes, "more execution"),
                     classes == 1 ? "it" : "one of them");
}

std::string search_tally::reservations() const {
  std::string text;
  if (cut_off_ > 0)
    text += fmt::format("; {} cut off after {}, and what may come later is not known",
                        executions_ == 1 ? "it was"
                        : cut_off_ == 1  ? "1 of them was"
                                         : fmt::format("{} of them were", cut_off_),
                        limit_);
  if (departures_ > 0)
    text += fmt::format(
        "; {} departed from the course: the scenario depends on something that Forkloom does not "
        "control, so this is not all",
        counted(departures_, "execution"));
  return text;
}

}  // namespace forkloom::explore
