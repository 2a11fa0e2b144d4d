// Expectation: an expect() that did not hold, in a process body or in the scenario itself.

#include "checkers/checker.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

std::size_t event_of(const trace& what, const failure_record& failure) {
  for (auto i = what.events.size(); i-- > 0;) {
    const auto& e = what.events[i];
    if (e.op == operation::expect && e.task == failure.task && e.step == failure.step) return i;
  }
  return no_event;
}

// What a command line expects stands in no file.
std::string place_of(const failure_record& failure) {
  return failure.line == 0 ? "" : text(" at ", failure.file, ":", failure.line);
}

}  // namespace

std::vector<violation> check_expectation(const trace& what, const limits&) {
  std::vector<violation> found;
  for (const auto& failure : what.failures) {
    if (failure.kind != failure_record::what::expectation) continue;
    const auto who = what.task_name(failure.task);
    found.push_back({.kind = violation_kind::expectation,
                     .message = text("an expectation of ", who, " failed", place_of(failure), ": ",
                                     failure.text),
                     .tasks = {who},
                     .evidence = evidence({event_of(what, failure)})});
  }
  return found;
}

}  // namespace forkloom::checkers
