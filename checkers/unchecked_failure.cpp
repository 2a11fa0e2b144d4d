// Unchecked failure: a call failed, and the program went on as if it had not. A trace cannot show
// whether a return value was looked at; it can show that nobody who had looked would go on like
// that. Four such ways:
//
//   unlocked       a task fails to take a lock, and its next call on that lock gives back what it
//                  does not have: an unlock, a condition wait with that mutex, or the post of a
//                  semaphore that the whole execution uses as a lock.
//   used           an open, a get or the like fails, so there is no descriptor or id; and the next
//                  thing of that sort that the task does fails because it has none (EBADF, EINVAL).
//                  Closing or removing what was never made is what programs do when they tidy up,
//                  and is left out.
//   asked again    a receive fails because messages may be longer than its buffer, and the task
//                  asks again with the same buffer, without having asked for the length between.
//   left           the same, and the task never receives from the queue again, though the message
//                  is there; it does something else that others may notice, and ends as if all were
//                  well.
//
// One violation for each task and resource, the first.
//
// Limits: whoever ignores a failure and then does nothing that presupposes success is not seen; nor
// are reads and writes that moved less than they should, which are no failures.
#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include "checkers/checker.hpp"
#include "checkers/lock_book.hpp"
#include "checkers/semaphore_locks.hpp"
#include "checkers/words.hpp"
#include "framework/trace/lock_operations.hpp"
#include "framework/trace/semaphore_operations.hpp"

namespace forkloom::checkers {
namespace {

// The lock or semaphore that the call asks for; no_resource for every other call.
resource_id asked_for(const event& e) {
  if (takes_lock(e.op)) return e.resource;
  const auto step = step_of(e);
  return step.change == -1 ? step.semaphore : no_resource;
}

// The lock that the call presupposes to be held; no_resource for every other call.
resource_id given_back(const event& e) {
  if (gives_lock_back(e.op)) return e.resource;
  if (e.op == operation::cond_wait) return e.second;
  const auto step = step_of(e);
  return step.change == +1 ? step.semaphore : no_resource;
}

// What calls make, and others then need.
enum class sort : std::uint8_t { none, descriptor, semaphores, memory, messages };

sort made_by(operation op) {
  switch (op) {
    case operation::open:
    case operation::shm_open:
    case operation::mq_open:
    case operation::socket:
    case operation::accept:
    case operation::dup:
    case operation::pipe:
    case operation::epoll_create:
    case operation::eventfd:
    case operation::timerfd:
    case operation::memfd:
      return sort::descriptor;
    case operation::semget:
      return sort::semaphores;
    case operation::shmget:
      return sort::memory;
    case operation::msgget:
      return sort::messages;
    default:
      return sort::none;
  }
}

// What the call failed for want of; none if it did not, or if it only tidies up.
sort missed_by(const event& e) {
  if (e.resource != no_resource) return sort::none;
  switch (e.op) {
    case operation::semop:
      return e.error == EINVAL ? sort::semaphores : sort::none;
    case operation::shmat:
      return e.error == EINVAL ? sort::memory : sort::none;
    case operation::msgsnd:
    case operation::msgrcv:
      return e.error == EINVAL ? sort::messages : sort::none;
    case operation::close:
    case operation::mq_close:
    case operation::dup:
      return sort::none;
    default:
      return e.error == EBADF ? sort::descriptor : sort::none;
  }
}

bool too_long_for_buffer(const event& e) {
  return e.op == operation::mq_receive && e.error == EMSGSIZE;
}

using owner = std::pair<task_id, resource_id>;

class reader {
 public:
  explicit reader(const trace& what) : what_(what), locks_(what), semaphores_(what) {}

  std::vector<violation> read() {
    for (std::size_t i = 0; i < what_.events.size(); ++i) {
      if (what_.events[i].how == outcome::completed) take(i);
      locks_.take(i);
      semaphores_.take(i);
    }
    for (const auto& [where, one] : short_buffers_) judge_left(where.first, one);
    return std::move(found_);
  }

 private:
  struct short_buffer {
    std::size_t failure = no_event;
    bool went_on = false;  // did something that others may notice since
  };

  void take(std::size_t i) {
    take_lock_call(i);
    take_making(i);
    take_receive(i);
  }

  void take_lock_call(std::size_t i) {
    const auto& e = what_.events[i];
    if (const auto wanted = asked_for(e); wanted != no_resource) {
      // Who has the lock has it after a try that fails, too.
      if (e.error == 0)
        not_taken_.erase({e.task, wanted});
      else if (!has(e.task, wanted))
        not_taken_[{e.task, wanted}] = i;
      return;
    }
    const auto lock = given_back(e);
    const auto failure = not_taken_.find({e.task, lock});
    if (lock == no_resource || failure == not_taken_.end()) return;
    const auto failed = failure->second;
    not_taken_.erase(failure);
    if (!is_lock(lock)) return;
    tell(failed, i, set_of(lock) == no_resource ? lock : set_of(lock),
         text("and then went on as if it had it: its ", call(what_, i),
              " presupposes that it holds it"));
  }

  [[nodiscard]] bool has(task_id task, resource_id lock) const {
    const auto semaphores = semaphores_.held_by(task);
    return locks_.holds(task, lock) ||
           std::any_of(semaphores.begin(), semaphores.end(),
                       [&](const auto& held) { return held.lock == lock; });
  }

  // Who posts a semaphore need not have taken it, unless everybody does.
  [[nodiscard]] bool is_lock(resource_id lock) const {
    if (set_of(lock) != no_resource) return used_as_lock(lock);
    return index(lock) < what_.resources.size() &&
           (what_.resources[index(lock)].kind != resource_kind::semaphore || used_as_lock(lock));
  }

  static bool changes_several(const event& e, resource_id semaphore) {
    return e.op == operation::semop && e.resource == set_of(semaphore) &&
           step_of(e).semaphore == no_resource;
  }

  // Is every post but those after a failure by whoever took it?
  [[nodiscard]] bool used_as_lock(resource_id semaphore) const {
    std::set<task_id> failed;
    auto holder = no_task;
    bool ever_given_back = false;
    for (const auto& e : what_.events) {
      if (e.how != outcome::completed) continue;
      const auto step = step_of(e);
      if (step.semaphore != semaphore) {
        if (changes_several(e, semaphore)) return false;
        continue;
      }
      if (leaves_some(e)) return false;
      if (step.change < 0 && e.error != 0) failed.insert(e.task);
      if (step.change < 0 && e.error == 0) {
        failed.erase(e.task);
        holder = e.task;
      }
      if (step.change != +1 || failed.erase(e.task) != 0) continue;
      if (holder != e.task) return false;
      ever_given_back = true;
      holder = no_task;
    }
    return ever_given_back;
  }

  void take_making(std::size_t i) {
    const auto& e = what_.events[i];
    if (const auto made = made_by(e.op); made != sort::none) {
      if (e.error == 0)
        not_made_.erase({e.task, made});
      else if (e.error != EBADF)
        not_made_[{e.task, made}] = i;
    }
    const auto missed = missed_by(e);
    const auto failure = not_made_.find({e.task, missed});
    if (missed == sort::none || failure == not_made_.end()) return;
    const auto failed = failure->second;
    not_made_.erase(failure);
    tell(failed, i, what_.events[failed].resource,
         text("and then used what was not there: its ", call(what_, i), " failed, too"));
  }

  void take_receive(std::size_t i) {
    const auto& e = what_.events[i];
    if (too_long_for_buffer(e)) {
      auto& known = short_buffers_[{e.task, e.resource}];
      const bool again =
          known.failure != no_event && what_.events[known.failure].before == e.before;
      if (again)
        tell(known.failure, i, e.resource, "and then asked again with a buffer of the same size");
      known = {.failure = i};
      return;
    }
    if (e.op == operation::mq_receive || e.op == operation::mq_attributes) {
      short_buffers_.erase({e.task, e.resource});
      return;
    }
    const bool tidies = e.op == operation::close || e.op == operation::mq_close ||
                        e.op == operation::mq_unlink || e.op == operation::exit;
    if (tidies || e.error != 0 || !traits(e.op).changes) return;
    for (auto& [where, one] : short_buffers_)
      if (where.first == e.task) one.went_on = true;
  }

  void judge_left(task_id task, const short_buffer& one) {
    if (index(task) >= what_.tasks.size()) return;
    const auto& record = what_.tasks[index(task)];
    const bool well =
        record.body_returned && record.end.kind == task_end::how::exited && record.end.code == 0;
    if (!well || !one.went_on) return;
    tell(one.failure, death_of(what_, task), what_.events[one.failure].resource,
         "and then went on, and ended as if it had received the message, which was left there");
  }

  void tell(std::size_t failed, std::size_t presumed, resource_id resource,
            const std::string& how) {
    const auto task = what_.events[failed].task;
    if (!told_.insert({task, resource}).second) return;
    const auto who = what_.task_name(task);
    found_.push_back(
        {.kind = violation_kind::unchecked_failure,
         .message = text(who, " did not heed that its ", call(what_, failed), " failed, ", how),
         .tasks = {who},
         .resource = what_.resource_name(resource),
         .evidence = evidence({failed, presumed})});
  }

  const trace& what_;
  lock_book locks_;
  semaphore_locks semaphores_;
  std::map<owner, std::size_t> not_taken_;  // the failure that is each task's latest word on a lock
  std::map<std::pair<task_id, sort>, std::size_t> not_made_;
  std::map<owner, short_buffer> short_buffers_;
  std::set<owner> told_;
  std::vector<violation> found_;
};

bool failed(const event& e) { return e.how == outcome::completed && e.error != 0; }

}  // namespace

std::vector<violation> check_unchecked_failure(const trace& what, const limits&) {
  if (std::none_of(what.events.begin(), what.events.end(), failed)) return {};
  return reader(what).read();
}

}  // namespace forkloom::checkers
