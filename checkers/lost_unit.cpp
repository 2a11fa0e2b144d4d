#include "checkers/lost_unit.hpp"

#include "checkers/semaphore_locks.hpp"
#include "checkers/words.hpp"
#include "framework/trace/semaphore_operations.hpp"

namespace forkloom::checkers {
namespace {

// The semaphores of which the wait may lack a unit.
std::vector<resource_id> lacking(const trace& what, const wait_record& wait) {
  if (wait.resources.empty()) return {};
  if (wait.op == operation::sem_wait) return {wait.resources.front()};
  if (wait.op != operation::semop || wait.event >= what.events.size()) return {};
  std::vector<resource_id> found;
  for (const auto& one : semaphore_operations(what.events[wait.event]))
    if (one.change < 0) found.push_back(one_of_set(wait.resources.front(), one.number));
  return found;
}

// What has happened to a semaphore: others have posted it, or set its value.
enum class effect : std::uint8_t { none, taken, other };

effect effect_of_semop(const event& e, std::uint16_t number) {
  const semaphore_operations all(e);
  auto found = all.more() ? effect::other : effect::none;
  for (const auto& one : all)
    if (one.number == number && one.change != 0)
      found = one.change < 0 && !one.undone ? effect::taken : effect::other;
  return found;
}

effect effect_of(const event& e, resource_id semaphore) {
  if (e.how != outcome::completed || e.error != 0) return effect::none;
  const auto set = set_of(semaphore);
  if (set == no_resource) {
    const auto step = step_of(e);
    if (step.semaphore != semaphore) return effect::none;
    return step.change < 0 ? effect::taken : effect::other;
  }
  if (e.resource != set) return effect::none;
  if (e.op == operation::semop) return effect_of_semop(e, number_in_set(semaphore));
  return e.op == operation::semctl && !only_looked(e) ? effect::other : effect::none;
}

// The event that took the semaphore, if nothing has happened to it since; else no_event.
std::size_t last_taken(const trace& what, resource_id semaphore) {
  for (auto i = what.events.size(); i-- > 0;) {
    const auto had = effect_of(what.events[i], semaphore);
    if (had != effect::none) return had == effect::taken ? i : no_event;
  }
  return no_event;
}

bool was_killed(const trace& what, task_id task) {
  return what.tasks[index(task)].end.kind == task_end::how::signalled;
}

}  // namespace

std::optional<lost_unit> find_lost_unit(const trace& what, const wait_record& wait) {
  for (const auto semaphore : lacking(what, wait)) {
    const auto taken = last_taken(what, semaphore);
    if (taken == no_event || !was_killed(what, what.events[taken].task)) continue;
    const auto& take = what.events[taken];
    return lost_unit{text(what.task_name(take.task), ", which took ",
                          thing(what, what.events[wait.event], semaphore), " last", at(what, taken),
                          ", ", death_in_words(what, take.task), " while it held a unit"),
                     {taken, death_by_fault(what, take.task)}};
  }
  return std::nullopt;
}

}  // namespace forkloom::checkers
