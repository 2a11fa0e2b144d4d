// Lock order: tasks that take the same locks in an order that can deadlock, though in this
// execution they did not. J. Harrow, "Runtime checking of multithreaded applications with Visual
// Threads", and K. Havelund, "Using runtime analysis to guide model checking of Java programs",
// both SPIN 2000; the guards are those of S. Bensalem and K. Havelund, "Dynamic deadlock analysis
// of multi-threaded programs", HVC 2005.
//
// A nesting is: a task holds one lock and takes another. Nestings of different tasks, each of which
// takes what the next one holds, are a possible deadlock, unless
//   - two of them hold a third lock in common, which lets only one in at a time (a gate lock);
//   - the program orders two of them by other means than these locks. Locks order what they
//     guard, too, but another schedule would do it the other way round; so all locks are left out
//     before the clocks are made.
// Readers of one lock do not exclude each other, nor do record locks of different bytes.
//
// Nestings are only made by calls that wait until they have the lock: whoever tries, or waits for a
// limited time, gets out of a deadlock again. So do those whom the kernel tells of it: record locks
// that belong to processes.
//
// One violation for each set of locks, the first. None from an execution that deadlocked.
//
// Limits: it tells of locks taken in this execution. What the program orders in a way that the
// trace does not show (a plain variable that is waited for) is reported all the same; where the
// explorer steers into the deadlock, the report says whether it came to that. Clocks order more
// than they should (vector_clock.hpp), which hides some. Futexes are not looked at.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "checkers/checker.hpp"
#include "checkers/knot.hpp"
#include "checkers/lock_book.hpp"
#include "checkers/semaphore_locks.hpp"
#include "checkers/words.hpp"
#include "framework/trace/lock_operations.hpp"
#include "framework/trace/record_range.hpp"
#include "framework/trace/semaphore_operations.hpp"
#include "framework/trace/vector_clock.hpp"

namespace forkloom::checkers {
namespace {

// So many nestings of one task that are alike are looked at; they differ only in what orders them.
constexpr std::size_t alike_max = 4;
// A longer circle needs as many tasks, each stopped at the right place; and the search is bounded.
constexpr std::size_t circle_max = 6;
constexpr std::size_t search_max = 20'000;

// Events stand for the locks that they take: they tell the lock, its mode and its bytes.
struct nesting {
  std::size_t held = 0;
  std::size_t taken = 0;
  std::vector<std::size_t> guards;  // everything held, also `held`
};

bool is_shared(const event& e) {
  switch (e.op) {
    case operation::rwlock_rdlock:
    case operation::rwlock_tryrdlock:
      return true;
    case operation::flock:
      return is_shared_flock(e);
    case operation::record_lock:
    case operation::record_trylock:
      return range_of(e).shared;
    default:
      return false;
  }
}

// A condition wait takes its second resource, a semop one of its set.
resource_id lock_of(const event& e) {
  if (e.op == operation::semop) return step_of(e).semaphore;
  return e.op == operation::cond_wait ? e.second : e.resource;
}

bool exclude(const event& a, const event& b) {
  if (lock_of(a) != lock_of(b) || (is_shared(a) && is_shared(b))) return false;
  return !has_record_range(a) || !has_record_range(b) || range_of(a).overlaps(range_of(b));
}

// Waits until it has the lock, however long that takes.
bool waits_for_lock(const event& e, const semaphore_locks& semaphores) {
  if (e.how != outcome::completed || e.error != 0 || waits_for_limited_time(e)) return false;
  switch (e.op) {
    case operation::mutex_lock:
    case operation::rwlock_rdlock:
    case operation::rwlock_wrlock:
    case operation::spin_lock:
    case operation::flock:
      return true;
    case operation::sem_wait:
    case operation::semop:
      return step_of(e).change < 0 && !is_limited_semop(e) && semaphores.is_lock(lock_of(e));
    case operation::record_lock:
      return range_of(e).of_open_file;
    default:
      return false;
  }
}

bool concerns_lock(operation op) {
  return takes_lock(op) || gives_lock_back(op) || takes_file_lock(op) || gives_file_lock_back(op);
}

// The death of a task gives no semaphore back any more, which it would only if it still had it.
event without_undo(const event& e) {
  semaphore_operations all;
  for (const auto& one : semaphore_operations(e)) all.add({one.number, one.change, false});
  auto plain = e;
  plain.before = all.before();
  plain.after = all.after();
  return plain;
}

// What the program orders, and its locks do not. Of semaphores only what gives them back is left
// out: who takes one comes after whoever made it.
std::vector<vector_clock> clocks_without_locks(const trace& what,
                                               const semaphore_locks& semaphores) {
  trace rest;
  rest.tasks = what.tasks;
  rest.resources = what.resources;
  rest.events = what.events;
  for (std::size_t i = 0; i < rest.events.size(); ++i) {
    auto& e = rest.events[i];
    if (e.op == operation::semop && semaphores.is_lock(lock_of(e))) e = without_undo(e);
    if (concerns_lock(e.op) || semaphores.gives_back(i)) e.op = operation::none;
    if (e.op == operation::cond_wait) e.second = no_resource;
  }
  return vector_clocks(rest);
}

class searcher {
 public:
  explicit searcher(const trace& what) : what_(what), semaphores_(what) {
    lock_book book(what);
    for (std::size_t i = 0; i < what.events.size(); ++i) {
      if (waits_for_lock(what.events[i], semaphores_)) note(book, i);
      book.take(i);
      semaphores_.take(i);
    }
  }

  // Each with its nestings in the order of the circle.
  std::vector<std::vector<nesting>> circles() {
    for (const auto& first : nestings_) {
      circle_ = {&first};
      extend();
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] const event& at(std::size_t event) const { return what_.events[event]; }
  [[nodiscard]] task_id task_of(const nesting& n) const { return at(n.taken).task; }

  void note(const lock_book& book, std::size_t taken) {
    const auto task = at(taken).task;
    auto held = book.held_by(task);
    const auto more = semaphores_.held_by(task);
    held.insert(held.end(), more.begin(), more.end());
    std::vector<std::size_t> guards;
    for (const auto& h : held) guards.push_back(h.since);
    for (const auto& h : held) {
      // Of files, other bytes are another lock.
      if (h.lock == lock_of(at(taken)) && !has_record_range(at(taken))) continue;
      auto& count = alike_[key_of(h.since, taken, guards)];
      if (count++ < alike_max) nestings_.push_back({h.since, taken, guards});
    }
  }

  using lock_in_mode = std::tuple<resource_id, bool, std::uint64_t, std::uint64_t>;
  using key = std::tuple<task_id, lock_in_mode, lock_in_mode, std::vector<lock_in_mode>>;

  [[nodiscard]] lock_in_mode mode(std::size_t event) const {
    const auto& e = at(event);
    const bool ranged = has_record_range(e);
    return {lock_of(e), is_shared(e), ranged ? e.before : 0, ranged ? e.after : 0};
  }

  [[nodiscard]] key key_of(std::size_t held, std::size_t taken,
                           const std::vector<std::size_t>& guards) const {
    std::vector<lock_in_mode> modes;
    for (const auto g : guards) modes.push_back(mode(g));
    return {at(taken).task, mode(held), mode(taken), std::move(modes)};
  }

  // A circle is found once: from the nesting of its task with the lowest number.
  void extend() {
    const auto& first = *circle_.front();
    const auto& last = *circle_.back();
    if (circle_.size() > 1 && exclude(at(last.taken), at(first.held))) close();
    if (circle_.size() == circle_max) return;
    for (const auto& next : nestings_) {
      if (++looked_at_ > search_max) return;
      if (task_of(next) <= task_of(first) || !exclude(at(last.taken), at(next.held))) continue;
      if (!fits(next)) continue;
      circle_.push_back(&next);
      extend();
      circle_.pop_back();
    }
  }

  [[nodiscard]] bool fits(const nesting& next) const {
    return std::none_of(circle_.begin(), circle_.end(), [&](const nesting* other) {
      return task_of(*other) == task_of(next) || guarded(*other, next);
    });
  }

  [[nodiscard]] bool guarded(const nesting& a, const nesting& b) const {
    return std::any_of(a.guards.begin(), a.guards.end(), [&](std::size_t one) {
      return std::any_of(b.guards.begin(), b.guards.end(),
                         [&](std::size_t other) { return exclude(at(one), at(other)); });
    });
  }

  void close() {
    std::set<resource_id> locks;
    for (const auto* n : circle_) locks.insert(lock_of(at(n->held)));
    if (told_.contains(locks) || ordered()) return;
    told_.insert(std::move(locks));
    auto& circle = found_.emplace_back();
    for (const auto* n : circle_) circle.push_back(*n);
  }

  // Must one of them have its second lock before another one even asks for it?
  bool ordered() {
    if (!clocks_) clocks_ = clocks_without_locks(what_, semaphores_);
    return std::any_of(circle_.begin(), circle_.end(), [&](const nesting* a) {
      return std::any_of(circle_.begin(), circle_.end(), [&](const nesting* b) {
        return happens_before(what_, *clocks_, a->taken, b->taken);
      });
    });
  }

  const trace& what_;
  semaphore_locks semaphores_;
  std::vector<nesting> nestings_;
  std::map<key, std::size_t> alike_;
  std::vector<const nesting*> circle_;
  std::size_t looked_at_ = 0;
  std::set<std::set<resource_id>> told_;
  std::vector<std::vector<nesting>> found_;
  std::optional<std::vector<vector_clock>> clocks_;
};

std::string lock_words(const trace& what, std::size_t event) {
  const auto& e = what.events[event];
  return thing(what, e, lock_of(e));
}

violation report(const trace& what, const std::vector<nesting>& circle) {
  violation found{.kind = violation_kind::lock_order};
  std::vector<task_id> tasks;
  std::vector<std::string> parts;
  for (const auto& n : circle) {
    const auto task = what.events[n.taken].task;
    const auto who = what.task_name(task);
    tasks.push_back(task);
    found.evidence.push_back(n.held);
    found.evidence.push_back(n.taken);
    parts.push_back(text(who, " takes ", lock_words(what, n.held), " and then ",
                         lock_words(what, n.taken), at(what, n.taken)));
    found.details.push_back(text(who, " held ", lock_words(what, n.held), ", taken",
                                 at(what, n.held), ", at its ", call(what, n.taken)));
  }
  found.message = text("a deadlock is possible, though it did not come to that: ", listed(parts));
  found.tasks = names(what, tasks);
  const auto lock = lock_of(what.events[circle.front().held]);
  found.resource = what.resource_name(set_of(lock) == no_resource ? lock : set_of(lock));
  found.evidence = evidence(std::move(found.evidence));
  found.details.emplace_back("no lock keeps them apart, and nothing but these locks orders them");
  return found;
}

}  // namespace

std::vector<violation> check_lock_order(const trace& what, const limits&) {
  if (!knot(what).empty()) return {};
  std::vector<violation> found;
  for (const auto& circle : searcher(what).circles()) found.push_back(report(what, circle));
  return found;
}

}  // namespace forkloom::checkers
