// The wait-for graph of the last moment: for each blocked task, the tasks that could let it go on.
// An over-approximation is safe here (it may hide a deadlock, never invent one), so where ownership
// is unknown every living task that ever had to do with the resource counts.
#include <fcntl.h>

#include <algorithm>
#include <map>
#include <set>

#include "framework/execution/harvest.hpp"
#include "framework/execution/open_files.hpp"
#include "framework/trace/record_range.hpp"

namespace forkloom::execution {
namespace {

bool lives(const arena& a, task_id task) {
  return index(task) < a.schedule.task_count && a[task].state != task_state::dead &&
         a[task].state != task_state::unused;
}

// Living tasks that used the resource in one of these operations.
std::set<task_id> users(const arena& a, resource_id resource, auto&& counts) {
  std::set<task_id> found;
  a.log.for_each_event([&](std::uint32_t, const event& e) {
    if (e.resource == resource && counts(e.op) && lives(a, e.task)) found.insert(e.task);
  });
  return found;
}

// Who may help: one that can write, one that can read, or either.
struct other_end {
  bool writer = false;
  bool reader = false;
};

bool waits_for_many(operation op) {
  return op == operation::poll || op == operation::select || op == operation::epoll_wait;
}

// Of the k-th resource that the task waits for. Whoever waits for many has said what it wants of
// each; what it hears of without asking, a hang-up, may come from anybody.
other_end wanted_of(const arena& a, task_id waiter, std::size_t k) {
  const auto op = a[waiter].pending;
  if (!waits_for_many(op)) {
    // At a queue, a signal is waited for by those who want to be told of a message.
    const bool takes =
        op == operation::read || op == operation::mq_receive || op == operation::signal_wait;
    return {.writer = takes, .reader = !takes};
  }
  const auto wish = a.details[index(waiter)].awaited_part >> (2 * k) & 3;
  if (wish == 0) return {.writer = true, .reader = true};
  return {.writer = (wish & 1) != 0, .reader = (wish & 2) != 0};
}

// A reader waits for whoever can write, a writer for whoever can read, be it a pipe or a message
// queue; a task that has the other end open itself is blocked, and so no help.
std::set<task_id> holders_of_other_end(const arena& a, const resource& pipe, other_end wanted) {
  std::set<task_id> found;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    if (!lives(a, task_id(i))) continue;
    const auto mode = open_mode(a.tasks[i].pid.load(), pipe.key.object);
    if (!mode) continue;
    if (*mode == O_RDWR || (*mode == O_WRONLY ? wanted.writer : wanted.reader))
      found.insert(task_id(i));
  }
  return found;
}

// Whoever can write the counter, or read it where it is full; set the timer; change the list.
std::set<task_id> holders_of_event_source(const arena& a, const resource& source) {
  std::set<task_id> found;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (lives(a, task_id(i)) && has_open(a.tasks[i].pid.load(), source)) found.insert(task_id(i));
  return found;
}

// The last event of a task that said that it blocked.
event blocked_event(const arena& a, task_id task) {
  event found;
  a.log.for_each_event([&](std::uint32_t number, const event& e) {
    if (number == a[task].blocked_event) found = e;
  });
  return found;
}

// Those whose locks are in the way of what the waiter asked for: the kernel's word. An open file
// belongs to all that have it; the waiter's own counts only if no other one is in the way.
std::set<task_id> lock_holders(const arena& a, task_id waiter, const resource& locks) {
  const auto asked = blocked_event(a, waiter);
  const bool records = locks.kind == resource_kind::record_lock;
  const auto range = records ? range_of(asked) : record_range{};
  const bool shared = records ? range.shared : is_shared_flock(asked);
  const auto in_the_way = [&](task_id owner, const proc_lock& held) {
    if (records == (held.sort == "FLOCK") || (shared && held.shared)) return false;
    const bool own = owner == waiter && held.sort == "POSIX" && !range.of_open_file;
    return !own && (!records || range.overlaps(held.range));
  };
  std::set<task_id> found;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    if (!lives(a, task_id(i))) continue;
    for_each_lock(a.tasks[i].pid.load(), locks.key.object, [&](const proc_lock& held) {
      if (in_the_way(task_id(i), held)) found.insert(task_id(i));
    });
  }
  if (found.size() > 1 && range.of_open_file) found.erase(waiter);
  return found;
}

std::set<task_id> all_living_but(const arena& a, task_id one) {
  std::set<task_id> found;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (lives(a, task_id(i)) && task_id(i) != one) found.insert(task_id(i));
  return found;
}

// Who is inside a read-write lock, as its events tell. They do not tell who was inside before the
// tasks began, nor who gives back what another one took: then anybody may.
std::set<task_id> holders_of_rwlock(const arena& a, task_id waiter, resource_id lock) {
  std::map<task_id, std::uint32_t> depths;
  bool known = true;
  a.log.for_each_event([&](std::uint32_t, const event& e) {
    if (e.resource != lock || e.how != outcome::completed || e.error != 0) return;
    switch (e.op) {
      case operation::rwlock_init:
        return depths.clear();
      case operation::rwlock_rdlock:
      case operation::rwlock_tryrdlock:
      case operation::rwlock_wrlock:
      case operation::rwlock_trywrlock:
        ++depths[e.task];
        return;
      case operation::rwlock_unlock:
        if (auto& depth = depths[e.task]; depth > 0)
          --depth;
        else
          known = false;
        return;
      default:
        return;
    }
  });
  std::erase_if(depths, [](const auto& inside) { return inside.second == 0; });
  if (!known || depths.empty()) return all_living_but(a, waiter);
  std::set<task_id> found;
  for (const auto& [task, depth] : depths)
    if (lives(a, task)) found.insert(task);
  return found;
}

// A writer waits for all that are inside. A reader waits for the writer inside; without one, for
// writers that wait themselves and come first.
std::set<task_id> releasers_of_rwlock(const arena& a, task_id waiter, resource_id lock) {
  const auto owner = a.resources[lock].owner;
  if (a[waiter].pending == operation::rwlock_wrlock || owner != no_task)
    return holders_of_rwlock(a, waiter, lock);
  auto found = all_living_but(a, waiter);
  std::erase_if(found, [&](task_id task) {
    return a[task].pending != operation::rwlock_wrlock || a[task].pending_resource != lock;
  });
  return found;
}

// The threads of a process's children: the end of any of them may be that of the child.
std::set<task_id> threads_of_children(const arena& a, task_id parent) {
  std::set<task_id> found;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto child = a.tasks[i].process;
    if (lives(a, task_id(i)) && a[child].parent == parent) found.insert(task_id(i));
  }
  return found;
}

// Whoever waits at a barrier waits for those that have not come to it.
std::set<task_id> not_yet_at_barrier(const arena& a, task_id waiter, resource_id barrier) {
  auto found = all_living_but(a, waiter);
  std::erase_if(found, [&](task_id task) {
    return a.resources[barrier].waiters.contains(task) &&
           a[task].pending == operation::barrier_wait;
  });
  return found;
}

// Do descriptors travel in messages? Then somebody may get an end that nobody has open now.
bool descriptors_travel(const arena& a) {
  bool found = false;
  a.log.for_each_event([&](std::uint32_t, const event& e) {
    found |= e.op == operation::send && e.error == 0 && e.after != 0;
  });
  return found;
}

// Whoever waits at a socket waits for those who have its peer open; whoever has no room to send, or
// to connect, for those who have the one that it is for. Where that is not known, anybody may help.
std::set<task_id> releasers_of_socket(const arena& a, task_id waiter, resource_id socket) {
  const auto waiting = blocked_event(a, waiter);
  const bool for_room = (waiting.op == operation::send || waiting.op == operation::connect) &&
                        waiting.second != no_resource;
  const auto peer = a.resources[socket].model[0];  // socket_peers.cpp: 1 + its number
  if ((!for_room && peer == 0) || descriptors_travel(a)) return all_living_but(a, waiter);
  const auto& helpful = for_room ? a.resources[socket] : a.resources[resource_id(peer - 1)];
  std::set<task_id> found;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (lives(a, task_id(i)) && open_mode(a.tasks[i].pid.load(), helpful.key.object))
      found.insert(task_id(i));
  return found;
}

std::set<task_id> releasers_by_kind(const arena& a, task_id waiter, resource_id id,
                                    other_end wanted) {
  const auto& r = a.resources[id];
  const auto op = a[waiter].pending;
  // While others still run, one that never touched a semaphore, a condition or a queue may be about
  // to.
  const bool others_run = a.schedule.how != ending::stuck;
  switch (r.kind) {
    case resource_kind::mutex:
    case resource_kind::spin_lock:
    case resource_kind::once:
      // Locked before the tasks began: any of them may be meant to unlock it.
      if (r.owner == no_task) return all_living_but(a, waiter);
      return lives(a, r.owner) ? std::set{r.owner} : std::set<task_id>{};
    case resource_kind::semaphore:
      // Semaphores have no owner: whoever posted or took it before may post again.
      if (others_run) return all_living_but(a, waiter);
      return users(a, id, [](operation used) {
        return used == operation::sem_post || used == operation::sem_wait ||
               used == operation::sem_trywait;
      });
    case resource_kind::condition:
    case resource_kind::futex:
    case resource_kind::system_v_semaphore:
    case resource_kind::system_v_queue:
      if (others_run) return all_living_but(a, waiter);
      return users(a, id, [](operation) { return true; });
    case resource_kind::file_lock:
    case resource_kind::record_lock:
      return lock_holders(a, waiter, r);
    case resource_kind::rwlock:
      return releasers_of_rwlock(a, waiter, id);
    case resource_kind::barrier:
      return op == operation::barrier_wait ? not_yet_at_barrier(a, waiter, id)
                                           : all_living_but(a, waiter);
    case resource_kind::pipe:
      return holders_of_other_end(a, r, wanted);
    case resource_kind::fifo:
      return op == operation::open ? all_living_but(a, waiter) : holders_of_other_end(a, r, wanted);
    case resource_kind::message_queue:
      return others_run ? all_living_but(a, waiter) : holders_of_other_end(a, r, wanted);
    case resource_kind::socket:
      return releasers_of_socket(a, waiter, id);
    case resource_kind::event_source:
      return holders_of_event_source(a, r);
    case resource_kind::process:
      return threads_of_children(a, task_id(r.key.object));
    case resource_kind::thread: {
      const auto thread = task_id(r.key.object);
      return lives(a, thread) ? std::set{thread} : std::set<task_id>{};
    }
    default:
      return all_living_but(a, waiter);
  }
}

// What lies in the memory of one process can be released by its threads alone. A child has a copy
// of its own, be it one of a lock that a thread of the parent held at the fork.
std::set<task_id> releasers(const arena& a, task_id waiter, resource_id id, other_end wanted) {
  auto found = releasers_by_kind(a, waiter, id, wanted);
  if (a.resources[id].key.where == resource_key::space::private_memory)
    std::erase_if(found, [&](task_id task) { return a[task].process != a[waiter].process; });
  return found;
}

// A task that is stopped waits for whoever sends SIGCONT.
wait_record wait_to_go_on(const arena& a, task_id task) {
  wait_record w{.task = task, .op = operation::signal_wait, .event = a[task].blocked_event};
  w.resources.push_back(blocked_event(a, task).resource);
  const auto help = all_living_but(a, task);
  w.releasers.assign(help.begin(), help.end());
  return w;
}

}  // namespace

std::vector<wait_record> find_waits(const arena& a) {
  std::vector<wait_record> result;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto& t = a.tasks[i];
    if (t.stopped && t.state == task_state::ready) result.push_back(wait_to_go_on(a, task_id(i)));
    // Whoever has a deadline will go on by itself, and a watcher by what is not seen.
    if (t.state != task_state::blocked || t.deadline_ns != no_deadline) continue;
    if (a.schedule.watchers.contains(task_id(i))) continue;
    if (a.schedule.spinners.contains(task_id(i))) continue;  // it can go on, and will see the same
    wait_record w{.task = task_id(i),
                  .op = t.pending,
                  .event = t.blocked_event,
                  .timeout_ignored = a.details[i].timeout_ignored};
    std::set<task_id> help;
    const auto& d = a.details[i];
    for (std::size_t k = 0; k < d.wait_count; ++k) {
      w.resources.push_back(d.waits[k]);
      help.merge(releasers(a, w.task, d.waits[k], wanted_of(a, w.task, k)));
    }
    // It waits for more than it could list.
    if (a.schedule.waiting_for_any.contains(w.task)) help = all_living_but(a, w.task);
    w.releasers.assign(help.begin(), help.end());
    result.push_back(std::move(w));
  }
  return result;
}

}  // namespace forkloom::execution
