// Deadlock: tasks of which none can ever go on, because all that could release them are among them
// or dead. Found whatever way the execution ended, so also while other tasks went on (partial).
//
// Limits: who could release a waiter is known only as well as the trace says it in `releasers`.
// Where that names too many (everybody who has the semaphore mapped), a deadlock can be missed
// while other tasks live; none is reported that is not there.

#include <algorithm>

#include "checkers/checker.hpp"
#include "checkers/knot.hpp"
#include "checkers/lock_book.hpp"
#include "checkers/lost_unit.hpp"
#include "checkers/lost_wake_up.hpp"
#include "checkers/words.hpp"
#include "framework/trace/semaphore_operations.hpp"

namespace forkloom::checkers {
namespace {

using members = std::vector<const wait_record*>;

const resource_record* awaited(const trace& what, const wait_record& wait) {
  if (wait.resources.empty() || index(wait.resources.front()) >= what.resources.size())
    return nullptr;
  return &what.resources[index(wait.resources.front())];
}

// Locks on files may have several owners, and none that is a task: an open file is shared. Whoever
// could release one has it.
bool held_by_releasers(const resource_record* resource) {
  return resource != nullptr && (resource->kind == resource_kind::file_lock ||
                                 resource->kind == resource_kind::record_lock);
}

bool holds(const trace& what, const lock_book& locks, task_id task, const wait_record& wait) {
  const auto* resource = awaited(what, wait);
  return resource != nullptr && (held_by_releasers(resource) || resource->owner == task ||
                                 locks.holds(task, wait.resources.front()));
}

// Who, of those that live, could let the waiter go on. A waiter can help itself only with what it
// holds itself (a mutex that is locked twice): a blocked task posts no semaphore.
std::vector<task_id> helpers(const trace& what, const lock_book& locks, const wait_record& wait) {
  std::vector<task_id> found;
  for (const auto task : wait.releasers)
    if (lives(what, task) && (task != wait.task || holds(what, locks, task, wait)))
      found.push_back(task);
  return found;
}

const wait_record* wait_of(const members& knot, task_id task) {
  const auto found = std::lower_bound(knot.begin(), knot.end(), task,
                                      [](const auto* w, task_id t) { return w->task < t; });
  return found != knot.end() && (*found)->task == task ? *found : nullptr;
}

// Who the wait is blamed on: the owner if there is one, else the first who could release it.
const wait_record* next_in(const trace& what, const lock_book& locks, const members& knot,
                           const wait_record& wait) {
  const auto* resource = awaited(what, wait);
  if (resource != nullptr)
    if (const auto* owner = wait_of(knot, resource->owner); owner != nullptr) return owner;
  const auto living = helpers(what, locks, wait);
  return living.empty() ? nullptr : wait_of(knot, living.front());
}

// Follows next_in() from each member until one comes up again. Empty if every way ends at a task
// that nobody could release.
members cycle(const trace& what, const lock_book& locks, const members& knot) {
  std::vector<const wait_record*> seen_from(what.tasks.size(), nullptr);
  for (const auto* start : knot) {
    const auto* wait = start;
    for (; wait != nullptr && seen_from[index(wait->task)] == nullptr;
         wait = next_in(what, locks, knot, *wait))
      seen_from[index(wait->task)] = start;
    if (wait == nullptr || seen_from[index(wait->task)] != start) continue;
    members found{wait};
    for (const auto* w = next_in(what, locks, knot, *wait); w != wait;
         w = next_in(what, locks, knot, *w))
      found.push_back(w);
    return found;
  }
  return {};
}

// "pipe 1 or pipe 2", of those that wait for many.
std::string any_of(const trace& what, const std::vector<resource_id>& resources) {
  constexpr std::size_t shown = 4;
  std::string all;
  for (std::size_t i = 0; i < resources.size() && i < shown; ++i)
    all += (i > 0 ? " or " : "") + what.resource_name(resources[i]);
  return resources.size() > shown ? text(all, " or ", resources.size() - shown, " more") : all;
}

std::string wanted(const trace& what, const wait_record& wait) {
  const auto* resource = awaited(what, wait);
  if (held_by_releasers(resource) && wait.event < what.events.size())
    return thing(what, what.events[wait.event], wait.resources.front());
  if (resource != nullptr && wait.resources.size() == 1) return resource->name;
  if (resource != nullptr) return any_of(what, wait.resources);
  return text("something that ends its ", name(wait.op));
}

std::string link(const trace& what, const lock_book& locks, const members& knot,
                 const wait_record& wait) {
  const auto* next = next_in(what, locks, knot, wait);
  const auto start = text(what.task_name(wait.task), " waits for ", wanted(what, wait));
  const auto could = helpers(what, locks, wait);
  if (!holds(what, locks, next->task, wait))
    return text(start, " that only ", listed(names(what, could)), " could release");
  std::vector<std::string> holders;
  for (const auto task : could)
    if (holds(what, locks, task, wait))
      holders.push_back(task == wait.task ? "itself" : what.task_name(task));
  return text(start, " held by ", listed(holders));
}

// Who died with what the wait is for; no_task if nobody did.
task_id dead_holder(const trace& what, const lock_book& locks, const wait_record& wait) {
  const auto* resource = awaited(what, wait);
  if (resource == nullptr) return no_task;
  auto holders = locks.holders(wait.resources.front());
  if (resource->owner != no_task) holders.push_back(resource->owner);
  const auto dead = std::find_if(holders.begin(), holders.end(),
                                 [&](task_id task) { return !lives(what, task); });
  return dead == holders.end() ? no_task : *dead;
}

bool only_waits_for_zero(const trace& what, std::size_t event) {
  if (event >= what.events.size()) return false;
  return !semaphore_operations(what.events[event]).may([](int change) { return change != 0; });
}

constexpr const char* nobodys_signal =
    "a signal that nobody sends, or that came before it was waited for";

// The read of a signalfd does.
bool waits_for_signal(const trace& what, const wait_record& wait) {
  if (wait.resources.empty()) return false;
  const auto at = index(wait.resources.front());
  return at < what.resources.size() && what.resources[at].kind == resource_kind::signal;
}

// What was left out, if nobody can ever let the task go on.
std::string missing(const trace& what, const lock_book& locks, const wait_record& wait) {
  if (const auto dead = dead_holder(what, locks, wait); dead != no_task)
    return text(what.task_name(dead), " ", death_in_words(what, dead), " while it held it");
  if (const auto lost = find_lost_unit(what, wait)) return lost->words;
  if (const auto lost = find_lost_wake_up(what, wait)) return lost->words;
  switch (wait.op) {
    case operation::cond_wait:
      return "a lost wake-up, or a signal that nobody sends";
    case operation::signal_wait:
      return nobodys_signal;
    case operation::sem_wait:
      return "a missing post";
    case operation::once:
      return "a first call that never comes to its end";
    case operation::barrier_wait:
      return "fewer tasks come than the barrier is for";
    case operation::barrier_destroy:
      return "a task that came to the barrier never leaves it";
    case operation::semop:
      return only_waits_for_zero(what, wait.event) ? "a value that never becomes zero"
                                                   : "a missing post";
    case operation::msgrcv:
      return "a missing message";
    case operation::msgsnd:
      return "a missing receiver";
    case operation::read:
      return waits_for_signal(what, wait) ? nobodys_signal : "a missing writer";
    case operation::write:
      return "a missing reader";
    case operation::mq_receive:
      return "a message that nobody sends";
    case operation::mq_send:
      return "a full queue that nobody receives from";
    case operation::accept:
      return "a connection that nobody makes";
    case operation::connect:
      return "a listener that accepts nobody";
    case operation::receive:
      return "a peer that sends nothing";
    case operation::send:
      return "a peer that receives nothing";
    case operation::open:
      return "the other end is never opened";
    case operation::mutex_lock:
      return "nobody that could unlock it lives; was it locked by a thread that a fork left "
             "behind?";
    case operation::poll:
    case operation::select:
    case operation::epoll_wait:
      return "nothing that it waits for will come";
    default:
      return "no living task could release it";
  }
}

std::string sentence(const trace& what, const lock_book& locks, const members& knot,
                     const members& circle) {
  if (!circle.empty()) {
    std::vector<std::string> links;
    for (const auto* wait : circle) links.push_back(link(what, locks, knot, *wait));
    return listed(links);
  }
  const auto* root = *std::find_if(knot.begin(), knot.end(), [&](const auto* wait) {
    return helpers(what, locks, *wait).empty();
  });
  return text(what.task_name(root->task), " waits for ", wanted(what, *root),
              " for ever, with nobody left to release it: ", missing(what, locks, *root));
}

std::string others(const trace& what, const members& knot) {
  const auto living = std::count_if(what.tasks.begin(), what.tasks.end(), [](const auto& task) {
    return task.end.kind == task_end::how::alive;
  });
  return living > static_cast<std::ptrdiff_t>(knot.size()) ? ", while other tasks went on" : "";
}

// Where the task is blocked, and where it took what it holds.
void explain(const trace& what, const wait_record& wait, const lock_book& locks, violation& found) {
  const auto releasers = names(what, helpers(what, locks, wait));
  found.evidence.push_back(wait.event);
  const auto add_evidence = [&](const auto& lost) {
    if (lost && releasers.empty())
      found.evidence.insert(found.evidence.end(), lost->evidence.begin(), lost->evidence.end());
  };
  add_evidence(find_lost_wake_up(what, wait));
  add_evidence(find_lost_unit(what, wait));
  found.details.push_back(text(
      what.task_name(wait.task), " is blocked in ", name(wait.op), " on ", wanted(what, wait),
      at(what, wait.event), "; ",
      releasers.empty() ? missing(what, locks, wait) : "could be released by " + listed(releasers),
      wait.timeout_ignored ? "; its time-out never fires, as was asked for" : ""));
  for (const auto& held : locks.held_by(wait.task)) {
    found.evidence.push_back(held.since);
    found.details.push_back(text(what.task_name(wait.task), " holds ",
                                 thing(what, what.events[held.since], held.lock), ", taken",
                                 at(what, held.since)));
  }
}

}  // namespace

std::vector<violation> check_deadlock(const trace& what, const limits&) {
  const auto stuck = knot(what);
  if (stuck.empty()) return {};
  lock_book locks(what);
  for (std::size_t i = 0; i < what.events.size(); ++i) locks.take(i);

  const auto circle = cycle(what, locks, stuck);
  std::vector<task_id> involved;
  for (const auto* wait : circle) involved.push_back(wait->task);
  for (const auto* wait : stuck) involved.push_back(wait->task);

  violation found{.kind = violation_kind::deadlock,
                  .message = sentence(what, locks, stuck, circle) + others(what, stuck),
                  .tasks = names(what, involved)};
  const auto* first = awaited(what, circle.empty() ? *stuck.front() : *circle.front());
  if (first != nullptr) found.resource = first->name;
  for (const auto* wait : stuck) explain(what, *wait, locks, found);
  found.evidence = evidence(std::move(found.evidence));
  return {std::move(found)};
}

}  // namespace forkloom::checkers
