// Starvation: while a task waited for a resource, others took it more often than the bound allows.
//
// Every acquisition of the resource by another task during the wait is one of two things:
//   denied    the waiter could have run: it had not tried yet, or what it was blocked on had
//   changed
//             since it blocked. That the other task was picked is the schedule's doing, and no lock
//             can prevent it. Never blamed.
//   bypassed  the waiter was blocked all the time in which the other one came and took it. No
//             schedule could have let the waiter go first: the lock's doing.
// Bypasses are counted within a stretch without a denial, as a denied waiter has had its chance;
// the longest stretch counts (bounded bypass: L. Lamport, "A new solution of Dijkstra's concurrent
// programming problem", CACM 1974, and N. Lynch, "Distributed algorithms", 1996, chapter 10).
//
// Two kinds of wait:
//   - A call that blocks on a resource, from its first attempt to its return. Mutexes,
//     semaphores and spin locks are never blamed: before another task can take one, it must have
//     been released, and that release lets the waiter try. Of a read-write lock, readers can
//     relieve each other, and a writer never sees it free.
//   - A logical resource, from the scenario's `request` to its `grant`. The other task came and
//   went
//     within the wait if its own request lies after the waiter blocked.
//
// What is told besides: whose doing it is (the primitive's, if a call waited; the program's, if its
// own code gives a logical resource out; what only the schedule did is not told at all), how long
// the wait was, and Jain's index of how often each task got the resource, 1 for all alike, 1/n for
// one only (R. Jain, D. Chiu and W. Hawe, "A quantitative measure of fairness", DEC-TR-301, 1984).
//
// Limits: a task that waits by trying again and again (a spin lock, a sleep and a new look) is
// never blocked, so all of it counts as denied. A time-out that has passed is not in the trace; a
// waiter with a time-out can be blamed for a stretch in which it could have run.
#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checkers/checker.hpp"
#include "checkers/lock_book.hpp"
#include "checkers/words.hpp"
#include "framework/trace/record_range.hpp"
#include "framework/trace/vector_clock.hpp"

namespace forkloom::checkers {
namespace {

// What an operation takes away from others that wait on the same resource, as the operation that
// stands for all of its kind; none if it takes nothing. A reader of a pipe takes nothing from a
// writer; one of a read-write lock does.
operation contended(operation op) {
  switch (op) {
    case operation::mutex_lock:
    case operation::mutex_trylock:
      return operation::mutex_lock;
    case operation::sem_wait:
    case operation::sem_trywait:
      return operation::sem_wait;
    case operation::rwlock_rdlock:
    case operation::rwlock_tryrdlock:
    case operation::rwlock_wrlock:
    case operation::rwlock_trywrlock:
      return operation::rwlock_wrlock;
    case operation::spin_lock:
    case operation::spin_trylock:
      return operation::spin_lock;
    case operation::record_lock:
    case operation::record_trylock:
      return operation::record_lock;
    case operation::flock:
    case operation::read:
    case operation::write:
    case operation::grant:
      return op;
    default:
      return operation::none;
  }
}

struct wait {
  task_id waiter = no_task;
  resource_id resource = no_resource;
  operation kind = operation::none;  // see contended()
  std::size_t since = 0;
  std::vector<std::size_t> stretch;  // the acquisitions that bypassed it since it was last denied
  std::vector<std::size_t> longest;  // the longest stretch that has ended
  std::uint32_t denied = 0;
};

void end_stretch(wait& w) {
  if (w.stretch.size() > w.longest.size()) w.longest = std::move(w.stretch);
  w.stretch.clear();
}

class reader {
 public:
  reader(const trace& what, std::uint32_t bypass_max)
      : what_(what),
        bypass_max_(bypass_max),
        locks_(what),
        blocked_(what.tasks.size(), no_event),
        last_change_(what.resources.size(), no_event) {}

  std::vector<violation> read() {
    for (std::size_t i = 0; i < what_.events.size(); ++i)
      if (index(what_.events[i].task) < what_.tasks.size()) take(i);
    for (auto& w : open_) finish(w);
    return std::move(found_);
  }

 private:
  void take(std::size_t i) {
    const auto& e = what_.events[i];
    now_ = i;
    if (e.how == outcome::blocked) {
      block(i);
    } else {
      if (e.how == outcome::completed && e.error == 0 && !moved_nothing(e)) acquire(i);
      stop_waiting(e.task, operation::none);
      blocked_[index(e.task)] = no_event;
    }
    if (e.op == operation::request) start_waiting(e.task, e.resource, operation::grant, i);
    if (e.op == operation::exit) {
      stop_waiting(e.task, operation::grant);
      last_death_ = i;
    }
    locks_.take(i);
    note_change(i);
  }

  void block(std::size_t i) {
    const auto& e = what_.events[i];
    // A poll waits for more resources than the event tells: another one may let it go on. Who is
    // stopped comes when whoever stopped it lets it, and no lock can wait for that.
    blocked_[index(e.task)] = e.op == operation::poll || is_stop(i) ? no_event : i;
    const auto kind = contended(e.op);
    if (kind != operation::none) start_waiting(e.task, e.resource, kind, i);
  }

  // Any other wait for signals is for all of a process's.
  [[nodiscard]] bool is_stop(std::size_t i) const {
    const auto& e = what_.events[i];
    return e.op == operation::signal_wait &&
           what_.resource_name(e.resource).starts_with("SIGCONT of ");
  }

  void start_waiting(task_id task, resource_id resource, operation kind, std::size_t i) {
    const auto same = [&](const wait& w) { return w.waiter == task && w.resource == resource; };
    if (std::none_of(open_.begin(), open_.end(), same))
      open_.push_back({.waiter = task, .resource = resource, .kind = kind, .since = i});
  }

  // Ends the task's wait for a logical resource (grant), or its call (none).
  void stop_waiting(task_id task, operation kind, resource_id resource = no_resource) {
    const bool logical = kind == operation::grant;
    const auto goes_on = [&](const wait& w) {
      return w.waiter != task || (w.kind == operation::grant) != logical ||
             (resource != no_resource && w.resource != resource);
    };
    const auto ended = std::stable_partition(open_.begin(), open_.end(), goes_on);
    std::for_each(ended, open_.end(), [&](wait& w) { finish(w); });
    open_.erase(ended, open_.end());
  }

  void acquire(std::size_t i) {
    const auto& e = what_.events[i];
    const auto kind = contended(e.op);
    if (kind != operation::none) {
      overtake(i, e.resource, kind);
      ++taken_[{e.resource, kind}][e.task];
    }
    if (kind == operation::grant) stop_waiting(e.task, operation::grant, e.resource);
  }

  void overtake(std::size_t i, resource_id resource, operation kind) {
    const auto task = what_.events[i].task;
    if (locks_.holds(task, resource)) return;  // a recursive mutex: it has long been taken
    const auto came = came_at(task, resource, kind, i);
    for (auto& w : open_) {
      if (w.waiter == task || w.resource != resource || w.kind != kind || elsewhere(w, i)) continue;
      if (is_blocked(w.waiter) && blocked_[index(w.waiter)] < came)
        w.stretch.push_back(i);
      else
        deny(w);
    }
  }

  // When the task began to want it. A call takes all at once; a logical resource was requested.
  [[nodiscard]] std::size_t came_at(task_id task, resource_id resource, operation kind,
                                    std::size_t i) const {
    const auto own = std::find_if(open_.begin(), open_.end(), [&](const wait& w) {
      return kind == operation::grant && w.waiter == task && w.resource == resource;
    });
    return own == open_.end() ? i : own->since;
  }

  // A record lock of other bytes than the waiter wants.
  [[nodiscard]] bool elsewhere(const wait& w, std::size_t i) const {
    return w.kind == operation::record_lock &&
           !range_of(what_.events[w.since]).overlaps(range_of(what_.events[i]));
  }

  static void deny(wait& w) {
    ++w.denied;
    end_stretch(w);
  }

  // Has nothing happened since it blocked that would let it try again? A sleeper, who waits for no
  // resource, can always be about to wake.
  [[nodiscard]] bool is_blocked(task_id task) const {
    const auto since = blocked_[index(task)];
    if (since == no_event || (last_death_ != no_event && last_death_ > since)) return false;
    const auto resource = index(what_.events[since].resource);
    if (resource >= last_change_.size()) return false;
    return last_change_[resource] == no_event || last_change_[resource] < since;
  }

  void note_change(std::size_t i) {
    const auto& e = what_.events[i];
    changed(mutex_given_up(what_, e), i);
    if (lets_others_go_on(e)) changed(e.resource, i);
  }

  // A read-write lock lets others in when the last one inside has left it, or when a writer whom
  // they stood behind gives up.
  [[nodiscard]] bool lets_others_go_on(const event& e) const {
    if (e.how != outcome::completed) return false;
    switch (e.op) {
      case operation::rwlock_rdlock:
      case operation::rwlock_tryrdlock:
      case operation::rwlock_trywrlock:
        return false;
      case operation::rwlock_wrlock:
        return e.error == ETIMEDOUT;
      case operation::rwlock_unlock:
        return locks_.holders(e.resource).empty();
      default:
        return e.error == 0 && !moved_nothing(e) && (traits(e.op).changes || traits(e.op).releases);
    }
  }

  void changed(resource_id resource, std::size_t i) {
    if (index(resource) < last_change_.size()) last_change_[index(resource)] = i;
  }

  void finish(wait& w) {
    end_stretch(w);
    if (w.longest.size() > bypass_max_) found_.push_back(report(w));
  }

  // Jain's index of who got it, in hundredths.
  [[nodiscard]] std::size_t fairness(const wait& w) const {
    auto all = taken_.at({w.resource, w.kind});
    all.emplace(w.waiter, 0);
    std::size_t sum = 0;
    std::size_t squares = 0;
    for (const auto& [task, times] : all) {
      sum += times;
      squares += times * times;
    }
    return 100 * sum * sum / (all.size() * squares);
  }

  [[nodiscard]] violation report(const wait& w) const;

  const trace& what_;
  std::uint32_t bypass_max_;
  lock_book locks_;
  std::vector<std::size_t> blocked_;      // by task: its latest event if that says it blocked
  std::vector<std::size_t> last_change_;  // by resource: the latest event that changed it
  std::size_t last_death_ = no_event;
  std::size_t now_ = 0;  // the event at hand
  std::map<std::pair<resource_id, operation>, std::map<task_id, std::size_t>> taken_;
  std::vector<wait> open_;
  std::vector<violation> found_;
};

// "reader 0 20 times".
std::vector<std::string> overtakers(const trace& what, const wait& w) {
  std::map<task_id, std::size_t> times;
  for (const auto i : w.longest) ++times[what.events[i].task];
  std::vector<std::string> told;
  for (const auto& [task, count] : times)
    told.push_back(text(what.task_name(task), " ", count, count == 1 ? " time" : " times"));
  return told;
}

// "0.07" of 7 hundredths.
std::string decimal(std::size_t hundredths) {
  return text(hundredths / 100, hundredths % 100 < 10 ? ".0" : ".", hundredths % 100);
}

std::string_view cause(const wait& w) {
  return w.kind == operation::grant
             ? "caused by the program, whose own code says who is next"
             : "caused by the primitive, which lets newcomers pass whoever waits";
}

violation reader::report(const wait& w) const {
  const auto who = what_.task_name(w.waiter);
  const auto resource = what_.resource_name(w.resource);
  std::vector<task_id> involved{w.waiter};
  for (const auto i : w.longest) involved.push_back(what_.events[i].task);
  auto proof = w.longest;
  proof.push_back(w.since);
  return {
      .kind = violation_kind::starvation,
      .message = text(who, " waited for ", resource, at(what_, w.since), " while others took it ",
                      w.longest.size(), " times in a row, and could not have come first (at most ",
                      bypass_max_, " are allowed)"),
      .tasks = names(what_, involved),
      .resource = resource,
      .evidence = evidence(std::move(proof)),
      .details = {text("bypassed ", w.longest.size(), " times, by ", listed(overtakers(what_, w))),
                  text("denied ", w.denied,
                       " times by the schedule, which is not counted against the lock"),
                  text("first overtaken by ", call(what_, w.longest.front())),
                  std::string(cause(w)),
                  text("waited ", what_.events[now_].step - what_.events[w.since].step, " steps, ",
                       (what_.events[now_].clock_ns - what_.events[w.since].clock_ns) / 1000,
                       " µs of virtual time"),
                  text("Jain's index of who got it is ", decimal(fairness(w)),
                       " (1 if all got it equally often)")}};
}

}  // namespace

std::vector<violation> check_starvation(const trace& what, const limits& bounds) {
  return reader(what, bounds.bypass_max).read();
}

}  // namespace forkloom::checkers
