// Lost update: a task reads a value, another task changes it, and the first one writes over the
// change, which nobody has ever read. One violation per memory resource, the first.
//
// What is judged is the write that overwrites. Let w be the latest change of x before the store s
// of task A, made by another task B; x was not accessed by A since it loaded x before w, and by
// nobody at all between w and s. Then no task knows B's value, and A's value was made from an older
// one.
//
// If A writes the very value that B wrote, two meanings look alike:
//   - both computed 110 from 100: an increment is lost;
//   - both set `done`: nothing is lost, setting it twice is setting it once.
// They are told apart by the resource, not by the one write. A flag shows no other values than 0
// and 1 in the whole execution, and then an overwritten value is never an update: A writes either
// what B wrote (both set it) or the only other value, the one that A itself had read. Protocols do
// both on purpose (the turn of Peterson's algorithm). So flags are not judged at all. Of anything
// else, equal values are a lost update if both tasks had read the same value and wrote a different
// one.
//
// Limits:
//   - A counter that never leaves 0 and 1 is taken for a flag: two tasks that add 1 once to 0 are
//     caught by an expectation, not here. Let it start elsewhere, or let them add more than once.
//   - Two tasks that set the same initial value, other than 0 and 1, after both looked for it, are
//     reported although no harm was done.
//   - "The last one wins" is reported if the writer looked at the value before it wrote.
//   - An overwritten change that somebody did read in time is not reported: it may have been used.
#include <array>
#include <map>
#include <optional>
#include <unordered_map>

#include "checkers/checker.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

bool is_access(const event& e) {
  return (e.op == operation::load || e.op == operation::store || e.op == operation::modify) &&
         e.how == outcome::completed && e.error == 0 && e.resource != no_resource;
}

struct loss {
  std::size_t read;
  std::size_t change;
  std::size_t overwrite;
};

// What has happened to one place in memory so far.
struct place {
  std::size_t change = no_event;        // the latest change of the value,
  bool change_was_read = false;         // and whether anybody has read it
  std::map<task_id, std::size_t> last;  // each task's latest access
  bool flag = true;                     // no other values than 0 and 1 were seen
  std::optional<loss> first;
};

bool reads(const event& e) { return e.op != operation::store; }

// Equal values are a loss only if both were computed from the same older one (the change made it a
// different one, or it were no change).
bool lost(const event& read, const event& change, const event& overwrite) {
  return change.after != overwrite.after || change.before == read.before;
}

void judge(const trace& what, place& x, std::size_t event) {
  const auto& e = what.events[event];
  const auto last = x.last.find(e.task);
  if (e.op != operation::store || x.change == no_event || x.change_was_read || last == x.last.end())
    return;
  // A load by the writer itself lies before the change, as nobody has loaded since. If the change
  // is the writer's own, its latest access is a store.
  const auto& read = what.events[last->second];
  if (read.op != operation::load) return;
  if (lost(read, what.events[x.change], e)) x.first = loss{last->second, x.change, event};
}

void take(const trace& what, place& x, std::size_t event) {
  const auto& e = what.events[event];
  if (!x.first) judge(what, x, event);
  x.flag = x.flag && e.before <= 1 && (e.op == operation::load || e.after <= 1);
  if (reads(e)) x.change_was_read = true;
  if (e.op != operation::load && e.before != e.after) {
    x.change = event;
    x.change_was_read = false;
  }
  x.last[e.task] = event;
}

violation report(const trace& what, resource_id resource, const loss& found) {
  const auto& read = what.events[found.read];
  const auto& change = what.events[found.change];
  const auto& overwrite = what.events[found.overwrite];
  const auto a = what.task_name(read.task);
  const auto b = what.task_name(change.task);
  const auto x = what.resource_name(resource);
  return {
      .kind = violation_kind::lost_update,
      .message = text("an update of ", x, " by ", b, at(what, found.change), " was lost: ", a,
                      " read ", read.before, ", ", b, " wrote ", change.after, " (never read), ", a,
                      " overwrote it with ", overwrite.after, at(what, found.overwrite)),
      .tasks = names(what, std::array{read.task, change.task}),
      .resource = x,
      .evidence = {found.read, found.change, found.overwrite},
      .details = {text(a, " read ", read.before, at(what, found.read)),
                  text(b, " changed ", change.before, " to ", change.after, at(what, found.change),
                       ", which no task ever read"),
                  text(a, " overwrote ", overwrite.before, " with ", overwrite.after,
                       at(what, found.overwrite), ", computed from the older ", read.before)}};
}

}  // namespace

std::vector<violation> check_lost_update(const trace& what, const limits&) {
  std::unordered_map<std::size_t, place> places;
  for (std::size_t i = 0; i < what.events.size(); ++i)
    if (is_access(what.events[i])) take(what, places[index(what.events[i].resource)], i);

  std::map<std::size_t, violation> found;  // in the order of their proof
  for (const auto& [resource, x] : places)
    if (x.first && !x.flag)
      found.emplace(x.first->overwrite, report(what, resource_id(resource), *x.first));
  std::vector<violation> result;
  for (auto& [when, one] : found) result.push_back(std::move(one));
  return result;
}

}  // namespace forkloom::checkers
