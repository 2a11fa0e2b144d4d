#include "framework/trace/vector_clock.hpp"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include "framework/trace/memory_clocks.hpp"
#include "framework/trace/record_range.hpp"
#include "framework/trace/semaphore_operations.hpp"

namespace forkloom {
namespace {

// A connect that does not wait for its end has done its work.
bool succeeded(const event& e) {
  const bool begun = e.op == operation::connect && e.error == EINPROGRESS;
  return e.how == outcome::completed && (e.error == 0 || begun);
}

bool sends_message(operation op) { return op == operation::mq_send || op == operation::msgsnd; }
bool takes_message(operation op) { return op == operation::mq_receive || op == operation::msgrcv; }

std::size_t task_count(const trace& what) {
  auto count = what.tasks.size();
  for (const auto& e : what.events)
    if (e.task != no_task) count = std::max(count, index(e.task) + 1);
  return count;
}

std::size_t resource_count(const trace& what) {
  auto count = what.resources.size();
  for (const auto& e : what.events)
    for (const auto r : {e.resource, e.second})
      if (r != no_resource) count = std::max(count, index(r) + 1);
  return count;
}

// The rounds of barriers. Nobody leaves a barrier before all have come, so every arrival of a round
// happens before every return of it; but returns are not ordered among themselves, and a round
// that was opened later says nothing to whoever is still on its way out of an earlier one.
class barriers {
 public:
  explicit barriers(std::size_t tasks) : opened_for_(tasks) {}

  void arrived(const event& e, const vector_clock& own) {
    auto& round = rounds_[e.resource];
    join(round.arrivals, own);
    round.waiting.push_back(e.task);
  }

  // What happened before this return.
  [[nodiscard]] const vector_clock& before_return(const event& e) {
    return opens(e) ? rounds_[e.resource].arrivals : opened_for_[index(e.task)];
  }

  void returned(const event& e, const vector_clock& own) {
    if (!opens(e)) return;
    auto& round = rounds_[e.resource];
    for (const auto task : round.waiting) opened_for_[index(task)] = own;
    round = {};
  }

 private:
  struct gathering {
    vector_clock arrivals;
    std::vector<task_id> waiting;
  };

  // Only the last arrival returns this.
  static bool opens(const event& e) { return e.result == PTHREAD_BARRIER_SERIAL_THREAD; }

  std::map<resource_id, gathering> rounds_;
  std::vector<vector_clock> opened_for_;  // by task: the clock of whoever let it go last
};

// The state between two events, and the clock of the event that has just been taken in.
class progress {
 public:
  explicit progress(const trace& what)
      : what_(what),
        tasks_(task_count(what), vector_clock(task_count(what))),
        resources_(resource_count(what)),
        rooms_(resource_count(what)),
        readers_(resource_count(what)),
        holders_(resource_count(what), no_task),
        barriers_(task_count(what)),
        memory_(task_count(what)) {}

  vector_clock take(const event& e) {
    if (e.task == no_task) return {};
    acquire(e);
    if (e.op == operation::exit) end_process(e.task);
    auto& own = tasks_[index(e.task)];
    ++own[index(e.task)];
    release(e);
    return own;
  }

 private:
  void acquire(const event& e) {
    if (is_marked(e)) return memory_.acquire(e, tasks_[index(e.task)]);
    if (!succeeded(e) || !traits(e.op).acquires) return;
    auto& own = tasks_[index(e.task)];
    if (e.op == operation::wait_child) {
      // Only the child that was reaped, not all that died. It has no more events: its clock is that
      // of its death.
      if (e.result > 0 && e.after < tasks_.size()) join(own, tasks_[e.after]);
      return;
    }
    if (e.op == operation::barrier_wait) return join(own, barriers_.before_return(e));
    if (has_record_range(e)) return acquire_records(e);
    if (concerns_socket(e)) return acquire_at_socket(e, own);
    if ((names_two(e) || hears_of_second(e)) && e.second != no_resource)
      join(own, resources_[index(e.second)]);
    if (e.op == operation::flock) note_locker(e, is_shared_flock(e));
    if (e.op == operation::semop && e.resource != no_resource) return look_at_set(e, own);
    const bool by_time_out = e.op == operation::cond_wait && e.result == ETIMEDOUT;
    if (e.resource != no_resource && !by_time_out) {
      if (!sends_message(e.op)) join(own, resources_[index(e.resource)]);
      if (!takes_message(e.op)) join(own, rooms_[index(e.resource)]);
    }
    const auto lock = taken_alone(e);
    if (lock == no_resource) return;
    join(own, resources_[index(lock)]);
    join(own, readers_[index(lock)]);
    holders_[index(lock)] = e.task;
  }

  void release(const event& e) {
    const auto& own = tasks_[index(e.task)];
    if (is_marked(e)) return memory_.release(e, own);
    if (const auto mutex = mutex_given_up(what_, e); mutex != no_resource) let_go(mutex, own);
    if (e.op == operation::barrier_wait && e.how == outcome::blocked) barriers_.arrived(e, own);
    if (becomes_shared(e)) share(e, own);
    if (succeeded(e) && unlocks_file(e)) lockers_[e.resource].erase(e.task);
    if (!succeeded(e) || !traits(e.op).releases || moved_nothing(e) || only_looked(e)) return;
    // A child has no events yet: its clock starts as that of the fork.
    const bool makes_task = e.op == operation::fork || e.op == operation::thread_create;
    if (makes_task && e.after < tasks_.size()) join(tasks_[e.after], own);
    if (e.op == operation::thread_exit) leave_mutexes(e.task);
    if (e.op == operation::exit) leave_locks(e.task);
    if (has_record_range(e)) return release_records(e.resource, range_of(e), own);
    if (concerns_socket(e)) return release_at_socket(e, own);
    if ((names_two(e) || drops_locks(e)) && e.second != no_resource) drop(e.second, own);
    if (e.resource == no_resource) return;
    if (e.op == operation::semop) return change_set(e, own);
    if (e.op == operation::semctl) join(rooms_[index(e.resource)], own);
    if (takes_message(e.op)) return join(rooms_[index(e.resource)], own);
    if (e.op == operation::barrier_wait) barriers_.returned(e, own);
    // Who unlocks without having it alone has read, and that concerns writers only.
    if (e.op == operation::rwlock_unlock && holders_[index(e.resource)] != e.task)
      return join(readers_[index(e.resource)], own);
    let_go(e.resource, own);
  }

  void let_go(resource_id resource, const vector_clock& own) {
    join(resources_[index(resource)], own);
    holders_[index(resource)] = no_task;
  }

  [[nodiscard]] bool concerns_socket(const event& e) const {
    return index(e.resource) < what_.resources.size() && e.op != operation::poll &&
           what_.resources[index(e.resource)].kind == resource_kind::socket;
  }

  // What came to a socket, and the room that is left there, are two things: whoever takes out comes
  // after those who sent there, and whoever sends, after those who took out.
  void acquire_at_socket(const event& e, vector_clock& own) {
    const bool to_second = e.op == operation::send || e.op == operation::connect;
    if (!to_second) return join(own, resources_[index(e.resource)]);
    if (e.second != no_resource) join(own, rooms_[index(e.second)]);
  }

  void release_at_socket(const event& e, const vector_clock& own) {
    switch (e.op) {
      case operation::send:
      case operation::connect:
        if (e.second != no_resource) join(resources_[index(e.second)], own);
        return;
      case operation::accept:
      case operation::receive:
      case operation::bind:
      case operation::listen:
        return join(rooms_[index(e.resource)], own);
      default:  // the end of the data, or of all room, for both ends
        for (const auto end : {e.resource, e.second}) {
          if (end == no_resource) continue;
          join(resources_[index(end)], own);
          join(rooms_[index(end)], own);
        }
    }
  }

  // A main thread's exit is that of its process, and comes after all that its threads did. What the
  // kernel keeps by process is left now, though the thread that took it may have ended before.
  void end_process(task_id main) {
    for (std::size_t i = 0; i < what_.tasks.size(); ++i) {
      if (what_.tasks[i].thread_of != main) continue;
      join(tasks_[index(main)], tasks_[i]);
      leave_locks(task_id(i));
    }
  }

  void leave_mutexes(task_id dead) {
    for (std::size_t i = 0; i < holders_.size(); ++i)
      if (holders_[i] == dead) let_go(resource_id(i), tasks_[index(dead)]);
  }

  void leave_locks(task_id dead) {
    leave_mutexes(dead);
    for (const auto& [locks, tasks] : lockers_)
      if (tasks.contains(dead)) drop(locks, tasks_[index(dead)]);
    // What was done with SEM_UNDO is taken back, which may be a post or the contrary.
    for (const auto& [task, set] : undoes_) {
      if (task != dead) continue;
      let_go(set, tasks_[index(dead)]);
      join(rooms_[index(set)], tasks_[index(dead)]);
    }
  }

  // Who takes from a set comes after those who posted; who waits for zero, after those who took.
  void look_at_set(const event& e, vector_clock& own) {
    const semaphore_operations all(e);
    if (all.may([](int change) { return change < 0; })) join(own, resources_[index(e.resource)]);
    if (all.may([](int change) { return change == 0; })) join(own, rooms_[index(e.resource)]);
  }

  void change_set(const event& e, const vector_clock& own) {
    const semaphore_operations all(e);
    if (all.may([](int change) { return change > 0; })) let_go(e.resource, own);
    if (all.may([](int change) { return change < 0; })) join(rooms_[index(e.resource)], own);
    if (all.may_be_undone()) undoes_.insert({e.task, e.resource});
  }

  // A lock on a file that becomes a shared one lets others in: that is a release, too.
  [[nodiscard]] bool becomes_shared(const event& e) const { return downgraded_ == &e; }

  void note_locker(const event& e, bool shared) {
    const bool new_here = lockers_[e.resource].insert(e.task).second;
    downgraded_ = shared && !new_here ? &e : nullptr;
  }

  void share(const event& e, const vector_clock& own) {
    if (has_record_range(e))
      release_records(e.resource, range_of(e), own);
    else
      join(resources_[index(e.resource)], own);
  }

  void acquire_records(const event& e) {
    const auto range = range_of(e);
    for (const auto& [where, clock] : given_back_[e.resource])
      if (where.overlaps(range)) join(tasks_[index(e.task)], clock);
    note_locker(e, range.shared);
  }

  void release_records(resource_id records, const record_range& range, const vector_clock& own) {
    auto& all = given_back_[records];
    for (auto& [where, clock] : all)
      if (where.first == range.first && where.last == range.last) return join(clock, own);
    all.emplace_back(range, own);
  }

  // All locks that the task may have on the file, or a second name.
  void drop(resource_id resource, const vector_clock& own) {
    join(resources_[index(resource)], own);
    release_records(resource, {}, own);
  }

  static bool unlocks_file(const event& e) {
    return e.op == operation::file_unlock ||
           (e.op == operation::record_unlock && range_of(e).everything());
  }

  static bool names_two(const event& e) {
    return e.op == operation::rename || e.op == operation::link;
  }

  // An epoll tells of something in its list that became ready.
  static bool hears_of_second(const event& e) { return e.op == operation::epoll_wait; }

  // The lock that nobody else can have now, or that is destroyed.
  static resource_id taken_alone(const event& e) {
    switch (e.op) {
      case operation::mutex_lock:
      case operation::mutex_trylock:
      case operation::rwlock_wrlock:
      case operation::rwlock_trywrlock:
      case operation::rwlock_destroy:
        return e.resource;
      case operation::cond_wait:
        return mutex_retaken(e) ? e.second : no_resource;
      default:
        return no_resource;
    }
  }

  const trace& what_;
  std::vector<vector_clock> tasks_;
  std::vector<vector_clock> resources_;
  std::vector<vector_clock> rooms_;    // in queues and semaphore sets: of those that took out
  std::vector<vector_clock> readers_;  // by resource: what those did that unlocked it as readers
  std::vector<task_id> holders_;       // of mutexes, and of read-write locks for writing
  barriers barriers_;
  memory_clocks memory_;
  const event* downgraded_ = nullptr;  // the event at hand, if a task that had locked shares now
  std::map<resource_id, std::set<task_id>> lockers_;  // of files: who ever locked it
  std::map<resource_id, std::vector<std::pair<record_range, vector_clock>>> given_back_;
  std::set<std::pair<task_id, resource_id>> undoes_;  // who used a set with SEM_UNDO
};

}  // namespace

void join(vector_clock& into, const vector_clock& other) {
  if (into.size() < other.size()) into.resize(other.size());
  for (std::size_t i = 0; i < other.size(); ++i) into[i] = std::max(into[i], other[i]);
}

std::vector<vector_clock> vector_clocks(const trace& what) {
  progress so_far(what);
  std::vector<vector_clock> clocks;
  clocks.reserve(what.events.size());
  for (const auto& e : what.events) clocks.push_back(so_far.take(e));
  return clocks;
}

bool happens_before(const trace& what, const std::vector<vector_clock>& clocks, std::size_t first,
                    std::size_t second) {
  const auto task = index(what.events[first].task);
  if (first == second || task >= clocks[first].size() || task >= clocks[second].size())
    return false;
  return clocks[first][task] <= clocks[second][task];
}

resource_id mutex_given_up(const trace& what, const event& e) {
  if (e.op != operation::cond_wait || e.how != outcome::blocked) return no_resource;
  if (index(e.resource) >= what.resources.size()) return no_resource;
  return what.resources[index(e.resource)].kind == resource_kind::condition ? e.second
                                                                            : no_resource;
}

bool mutex_retaken(const event& e) {
  return e.op == operation::cond_wait && e.how == outcome::completed && e.error == 0 &&
         (e.result == 0 || e.result == ETIMEDOUT || e.result == EOWNERDEAD);
}

}  // namespace forkloom
