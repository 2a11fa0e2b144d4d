// Not linearizable: a generated program saw results that no order of its calls explains. The
// history was judged where its model is, in the scenario; here it becomes a violation.
#include "checkers/checker.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {

std::vector<violation> check_not_linearizable(const trace& what, const limits&) {
  std::vector<violation> found;
  for (const auto& h : what.histories) {
    std::vector<std::size_t> answers;  // the responses, at which the results were seen
    for (std::size_t i = 0; i < what.events.size(); ++i)
      if (what.events[i].op == operation::grant) answers.push_back(i);
    found.push_back({.kind = violation_kind::not_linearizable,
                     .message = h.message,
                     .tasks = h.tasks,
                     .resource = h.object,
                     .evidence = answers,
                     .details = h.details});
  }
  return found;
}

}  // namespace forkloom::checkers
