// Leak: something outlived the task that made it.
//   - Objects that the whole system sees and that were there after the execution and not before it
//     (named shared memory, semaphores, message queues, FIFOs …), with the task and the line that
//     made them.
//   - What a process still had when it came to the regular end of its body: descriptors and
//     mappings of its own making, locks held, children that had died and were never waited for,
//     threads that had ended and were never joined; and the locks that a thread held at its end.
//
// Where a fault has killed a process, objects that are left over are not judged either: nobody can
// tidy up after SIGKILL, and whoever was to remove them may be the one that is dead.
// A process that was killed or called _exit() had no chance to tidy up and is not judged.
// Descriptors 0, 1 and 2 and what a child inherited are nobody's leak; a child that lives longer
// than its parent is no zombie of its parent's. A named semaphore that is not closed but unlinked
// is no leak.
#include <algorithm>
#include <functional>
#include <map>

#include "checkers/checker.hpp"
#include "checkers/holdings.hpp"
#include "checkers/lock_book.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

// Does the call make the object, if there is none? A System V object is made by the get that says
// so; its key comes first, if it has one.
bool makes(const event& e, resource_id object) {
  switch (e.op) {
    case operation::open:
    case operation::link:
    case operation::mkdir:
    case operation::mkfifo:
    case operation::sem_open:
    case operation::shm_open:
      return e.resource == object;
    case operation::mq_open:
      return e.resource == object && e.before != 0;  // the event tells whether it made it
    case operation::bind:
      return e.second == object;
    case operation::semget:
    case operation::shmget:
    case operation::msgget:
      return e.after == 1 && (e.resource == object || e.second == object);
    default:
      return false;
  }
}

bool removes(const event& e, resource_id object) {
  switch (e.op) {
    case operation::rename:
    case operation::unlink:
    case operation::mq_unlink:
    case operation::sem_unlink:
    case operation::shm_unlink:
      return e.resource == object;
    default:
      return false;
  }
}

// The event that made the object: the first that opened it since it was last unlinked.
std::size_t maker_of(const trace& what, resource_id resource) {
  auto made = no_event;
  if (resource == no_resource) return made;
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const auto& e = what.events[i];
    if (e.how != outcome::completed || e.error != 0 || e.result < 0) continue;
    if (removes(e, resource)) made = no_event;
    if (made == no_event && makes(e, resource)) made = i;
  }
  return made;
}

violation left_over(const trace& what, const leftover_record& leftover) {
  violation found{.kind = violation_kind::leak,
                  .resource = leftover.resource == no_resource
                                  ? leftover.what
                                  : what.resource_name(leftover.resource)};
  const auto made = maker_of(what, leftover.resource);
  if (made == no_event) {
    found.message = text(leftover.what, " was left behind; the trace does not tell who made it");
    return found;
  }
  const auto maker = what.task_name(what.events[made].task);
  found.message = text(leftover.what, " was left behind by ", maker, ", which made it",
                       at(what, made), " and nobody removed it");
  found.tasks = {maker};
  found.evidence = {made};
  found.details = {text(maker, " made it with its ", call(what, made))};
  return found;
}

// One thing that a task had at its end, and the event that made it so.
struct remainder {
  std::string thing;
  std::size_t made_by;
  std::string resource;
};

// The violation about all of one sort, or none. sort: "descriptors open".
void tell(const trace& what, task_id task, const std::string& sort,
          const std::vector<remainder>& rest, std::vector<violation>& found) {
  if (rest.empty()) return;
  const auto who = what.task_name(task);
  const auto& first = rest.front();
  violation v{.kind = violation_kind::leak,
              .message = text(who, " ended with ", rest.size(), " ", sort, ": ", first.thing,
                              at(what, first.made_by),
                              rest.size() > 1 ? text(" and ", rest.size() - 1, " more") : ""),
              .tasks = {who},
              .resource = first.resource,
              .evidence = {death_of(what, task)}};
  for (const auto& r : rest) {
    v.evidence.push_back(r.made_by);
    v.details.push_back(text(r.thing, ", by ", who, " with its ", call(what, r.made_by)));
  }
  v.evidence = evidence(std::move(v.evidence));
  found.push_back(std::move(v));
}

std::string plural(std::size_t count, const std::string& one, const std::string& many) {
  return count == 1 ? one : many;
}

std::vector<remainder> descriptors(const trace& what, const holdings& own) {
  std::vector<remainder> rest;
  for (const auto& [descriptor, made] : own.descriptors())
    rest.push_back({text("descriptor ", descriptor, " opened"), made,
                    what.resource_name(what.events[made].resource)});
  return rest;
}

std::vector<remainder> mappings(const trace& what, const holdings& own) {
  std::vector<remainder> rest;
  for (const auto& m : own.mappings())
    rest.push_back({text(m.end - m.begin, " bytes ",
                         what.events[m.made_by].op == operation::shmat ? "attached" : "mapped"),
                    m.made_by, what.resource_name(what.events[m.made_by].resource)});
  return rest;
}

std::vector<remainder> locks(const trace& what, const std::vector<lock_book::holding>& held) {
  std::vector<remainder> rest;
  for (const auto& h : held) {
    // The kernel takes the locks on files back.
    const auto op = what.events[h.since].op;
    if (op == operation::flock || op == operation::record_lock || op == operation::record_trylock)
      continue;
    const auto lock = what.resource_name(h.lock);
    rest.push_back({text(lock, " locked"), h.since, lock});
  }
  return rest;
}

// "mutex held", "locks held".
std::string sort_of(const trace& what, const std::vector<lock_book::holding>& held) {
  const bool mutexes = std::all_of(held.begin(), held.end(), [&](const auto& h) {
    return index(h.lock) < what.resources.size() &&
           what.resources[index(h.lock)].kind == resource_kind::mutex;
  });
  return mutexes ? plural(held.size(), "mutex held", "mutexes held")
                 : plural(held.size(), "lock held", "locks held");
}

// Children that died before their parent, in the order in which they were forked.
std::vector<remainder> zombies(const trace& what, task_id parent, const holdings& own) {
  std::vector<remainder> rest;
  const auto end = death_of(what, parent);
  for (const auto& [child, forked] : own.children()) {
    const auto death = death_of(what, child);
    if (death == no_event || (end != no_event && death > end)) continue;
    rest.push_back({text(what.task_name(child), " forked"), forked, what.task_name(child)});
  }
  return rest;
}

// Threads that ended before their process, in the order in which they were made.
std::vector<remainder> unjoined(const trace& what, const holdings& own) {
  std::vector<remainder> rest;
  for (const auto& [thread, made] : own.threads())
    if (index(thread) < what.tasks.size() && what.tasks[index(thread)].body_returned)
      rest.push_back({text(what.task_name(thread), " made"), made, what.task_name(thread)});
  return rest;
}

bool ended_regularly(const task_record& task) {
  return task.body_returned && task.end.kind == task_end::how::exited;
}

}  // namespace

std::vector<violation> check_leak(const trace& what, const limits&) {
  std::vector<violation> found;
  if (what.how == ending::finished && !killed_by_fault(what))
    for (const auto& leftover : what.leftovers) found.push_back(left_over(what, leftover));

  std::vector<holdings> own(what.tasks.size());
  lock_book book(what);
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const auto& e = what.events[i];
    if (index(e.task) < own.size()) own[index(process_of(what, e.task))].take(e, i);
    book.take(i);
  }
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    if (!ended_regularly(what.tasks[i])) continue;
    const auto task = task_id(i);
    const auto held = book.held_by(task);
    if (what.tasks[i].thread_of != no_task) {
      tell(what, task, sort_of(what, held), locks(what, held), found);
      continue;
    }
    const auto open = descriptors(what, own[i]);
    const auto mapped = mappings(what, own[i]);
    const auto dead = zombies(what, task, own[i]);
    tell(what, task, plural(open.size(), "descriptor open", "descriptors open"), open, found);
    tell(what, task, plural(mapped.size(), "mapping", "mappings"), mapped, found);
    tell(what, task, sort_of(what, held), locks(what, held), found);
    tell(what, task,
         plural(dead.size(), "dead child not waited for", "dead children not waited for"), dead,
         found);
    const auto threads = unjoined(what, own[i]);
    tell(what, task, plural(threads.size(), "thread not joined", "threads not joined"), threads,
         found);
  }
  return found;
}

}  // namespace forkloom::checkers
