// Data race: two accesses of different tasks to the same bytes, at least one of them a write, at
// least one no atomic, and neither happens before the other. In C and C++ that is undefined
// behaviour (C++20, [intro.races]), whatever the values turn out to be.
//
// C. Flanagan and S. N. Freund, "FastTrack: efficient and precise dynamic race detection", PLDI
// 2009: an access e of task t races with an earlier one of task u if u's clock at that access is
// not below C_t[u] at e. It suffices to keep u's latest access of each sort to each byte: what u
// did before is ordered whenever the latest is. FastTrack keeps one epoch for all writes, as those
// are in one order until the first race; here each task has its own, so that a race hides no later
// one. The bytes are those of what is mapped, so processes may see them at different addresses, in
// different sizes: cells are split where accesses begin and end.
//
// Only instrumented accesses and the buffers of system calls are looked at (memory_access.hpp).
// What shared<T> does is not: it models a plain variable, too, but a scenario that uses it asks for
// the consequences, which lost_update and its own expectations tell.
//
// One violation for each memory resource and each pair of source lines, the first.
//
// Limits: it tells races of this execution's order of synchronisation; another schedule may have
// more. Code that is not instrumented is not seen. A protocol of plain variables (Peterson's) is a
// data race, and rightly: it needs atomics. What vector clocks order too much (vector_clock.hpp)
// hides races.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "checkers/checker.hpp"
#include "checkers/lock_book.hpp"
#include "checkers/semaphore_locks.hpp"
#include "checkers/words.hpp"
#include "framework/trace/memory_access.hpp"
#include "framework/trace/vector_clock.hpp"

namespace forkloom::checkers {
namespace {

// What decides whether two accesses conflict.
struct sort {
  bool writes = false;
  bool atomic = false;

  [[nodiscard]] std::size_t number() const { return (writes ? 2 : 0) + (atomic ? 1 : 0); }
  static constexpr std::size_t count = 4;

  [[nodiscard]] bool conflicts(sort other) const {
    return (writes || other.writes) && !(atomic && other.atomic);
  }
};

sort sort_of(const event& e) {
  return {.writes = e.op != operation::load,
          .atomic = access_of(e).how == memory_access::sort::atomic};
}

constexpr std::array<sort, sort::count> sorts{{{.writes = false, .atomic = false},
                                               {.writes = false, .atomic = true},
                                               {.writes = true, .atomic = false},
                                               {.writes = true, .atomic = true}}};

// Bytes that have been accessed alike: each task's latest access of each sort.
struct cell {
  std::uint64_t end = 0;
  std::map<task_id, std::array<std::size_t, sort::count>> latest;
};

using cells = std::map<std::uint64_t, cell>;  // by their first byte

// Makes a cell begin at `at`, if one lies across it.
void split(cells& all, std::uint64_t at) {
  auto after = all.lower_bound(at);
  if (after == all.begin() || (after != all.end() && after->first == at)) return;
  auto& left = std::prev(after)->second;
  if (left.end <= at) return;
  cell right = left;
  left.end = at;
  all.emplace_hint(after, at, std::move(right));
}

// Calls visit(cell) for all cells of [begin, end), made where there are none.
template <class Visit>
void for_each_cell(cells& all, std::uint64_t begin, std::uint64_t end, Visit visit) {
  split(all, begin);
  split(all, end);
  auto next = all.lower_bound(begin);
  while (begin < end) {
    if (next == all.end() || next->first > begin) {
      const auto gap_end = next == all.end() ? end : std::min(end, next->first);
      next = all.emplace_hint(next, begin, cell{.end = gap_end, .latest = {}});
    }
    visit(next->second);
    begin = next->second.end;
    ++next;
  }
}

struct race {
  std::size_t first;
  std::size_t second;
};

class detector {
 public:
  explicit detector(const trace& what) : what_(what), clocks_(vector_clocks(what)) {}

  std::vector<race> find() {
    for (std::size_t i = 0; i < what_.events.size(); ++i) take(i);
    return std::move(found_);
  }

  [[nodiscard]] const std::vector<vector_clock>& clocks() const { return clocks_; }

 private:
  void take(std::size_t i) {
    const auto& e = what_.events[i];
    const auto access = access_of(e);
    if (access.how == memory_access::sort::unmarked || access.size == 0) return;
    if (index(e.resource) >= what_.resources.size()) return;
    const auto& place = what_.resources[index(e.resource)];
    if (place.object == 0) return;
    for_each_cell(objects_[place.object], place.offset, place.offset + access.size,
                  [&](cell& c) { take(i, c); });
  }

  void take(std::size_t i, cell& c) {
    const auto& e = what_.events[i];
    const auto how = sort_of(e);
    for (const auto& [task, latest] : c.latest) {
      if (task == e.task) continue;
      for (const auto other : sorts) {
        const auto earlier = latest[other.number()];
        if (earlier != no_event && how.conflicts(other) &&
            !happens_before(what_, clocks_, earlier, i))
          note({earlier, i});
      }
    }
    auto& own = c.latest.try_emplace(e.task, unused).first->second;
    own[how.number()] = i;
  }

  void note(const race& r) {
    const auto& a = what_.events[r.first];
    const auto& b = what_.events[r.second];
    const auto lines = std::minmax(a.site, b.site);
    if (places_.contains(b.resource) || lines_.contains(lines)) return;
    places_.insert(a.resource);
    places_.insert(b.resource);
    lines_.insert(lines);
    found_.push_back(r);
  }

  static constexpr std::array<std::size_t, sort::count> unused{no_event, no_event, no_event,
                                                               no_event};

  const trace& what_;
  std::vector<vector_clock> clocks_;
  std::map<std::uint32_t, cells> objects_;
  std::set<resource_id> places_;  // what has been reported
  std::set<std::pair<std::uint64_t, std::uint64_t>> lines_;
  std::vector<race> found_;
};

// "wrote", "read atomically (relaxed)", "had the kernel write".
std::string verb(const event& e) {
  const auto access = access_of(e);
  const bool reads = e.op == operation::load;
  if (access.how == memory_access::sort::kernel)
    return reads ? "had the kernel read" : "had the kernel write";
  const auto* does = reads ? "read" : e.op == operation::store ? "wrote" : "changed";
  if (access.how != memory_access::sort::atomic) return does;
  return text(does, " atomically (", name(access.order), ")");
}

std::string bytes(std::uint64_t size) { return text(size, size == 1 ? " byte" : " bytes"); }

std::string locks_held(const trace& what, std::size_t event) {
  lock_book book(what);
  semaphore_locks semaphores(what);
  for (std::size_t i = 0; i < event; ++i) {
    book.take(i);
    semaphores.take(i);
  }
  auto all = book.held_by(what.events[event].task);
  const auto more = semaphores.held_by(what.events[event].task);
  all.insert(all.end(), more.begin(), more.end());
  std::vector<std::string> held;
  for (const auto& h : all) held.push_back(thing(what, what.events[h.since], h.lock));
  return held.empty() ? "no lock" : listed(held);
}

// "clerk 0 wrote 4 bytes of counter at a.c:12, holding no lock".
std::string access_words(const trace& what, std::size_t event) {
  const auto& e = what.events[event];
  return text(what.task_name(e.task), " ", verb(e), " ", bytes(access_of(e).size), " of ",
              what.resource_name(e.resource), at(what, event), ", holding ",
              locks_held(what, event));
}

// The latest event of `of` that happens before the event; no_event if there is none.
std::size_t last_known(const trace& what, const vector_clock& clock, task_id of) {
  auto left = index(of) < clock.size() ? clock[index(of)] : 0;
  for (std::size_t i = 0; left > 0 && i < what.events.size(); ++i)
    if (what.events[i].task == of && --left == 0) return i;
  return no_event;
}

// How far the order between the two tasks reaches, and that it ends too early.
std::string missing_edge(const trace& what, const race& r, const vector_clock& clock) {
  const auto a = what.events[r.first].task;
  const auto b = what.events[r.second].task;
  const auto known = last_known(what, clock, a);
  if (known == no_event)
    return text("nothing orders the two: no synchronisation led from ", what.task_name(a), " to ",
                what.task_name(b), " before");
  return text("nothing orders the two: of what ", what.task_name(a), " did, the last that ",
              what.task_name(b), " comes after is its ", call(what, known),
              ", which lies before the access");
}

struct handshake {
  std::size_t store;
  std::size_t load;
};

bool is_atomic(const event& e) {
  const auto access = access_of(e);
  return access.how == memory_access::sort::atomic && access.size != 0;
}

// An atomic by which the second task was told after the first access, though in too weak an order.
std::optional<handshake> weak_handshake(const trace& what, const race& r) {
  const auto from = what.events[r.first].task;
  const auto to = what.events[r.second].task;
  std::map<resource_id, std::size_t> latest;  // the store whose value is there
  for (auto i = r.first + 1; i < r.second; ++i) {
    const auto& e = what.events[i];
    if (!is_atomic(e)) continue;
    const auto store = latest.find(e.resource);
    if (e.task == to && e.op != operation::store && store != latest.end() &&
        what.events[store->second].task == from)
      return handshake{store->second, i};
    if (e.op != operation::load) latest[e.resource] = i;
  }
  return std::nullopt;
}

std::string handshake_words(const trace& what, const handshake& h) {
  const auto& store = what.events[h.store];
  const auto& load = what.events[h.load];
  return text(what.task_name(load.task), " saw in ", what.resource_name(load.resource),
              at(what, h.load), " (", name(access_of(load).order), ") what ",
              what.task_name(store.task), " put there", at(what, h.store), " (",
              name(access_of(store).order),
              "): with release there and acquire here that would have ordered them");
}

violation report(const trace& what, const race& r, const vector_clock& clock) {
  const auto& first = what.events[r.first];
  const auto& second = what.events[r.second];
  const auto x = what.resource_name(second.resource);
  violation found{
      .kind = violation_kind::data_race,
      .message = text("data race on ", x, ": ", what.task_name(first.task), " ", verb(first), " it",
                      at(what, r.first), ", ", what.task_name(second.task), " ", verb(second),
                      " it", at(what, r.second), ", and nothing orders the two"),
      .tasks = names(what, std::array{first.task, second.task}),
      .resource = x,
      .evidence = {r.first, r.second},
      .details = {access_words(what, r.first), access_words(what, r.second),
                  missing_edge(what, r, clock)}};
  if (const auto told = weak_handshake(what, r)) {
    found.details.push_back(handshake_words(what, *told));
    found.evidence = evidence({r.first, told->store, told->load, r.second});
  }
  return found;
}

}  // namespace

std::vector<violation> check_data_race(const trace& what, const limits&) {
  if (std::none_of(what.events.begin(), what.events.end(), is_marked)) return {};
  detector all(what);
  std::vector<violation> found;
  for (const auto& r : all.find()) found.push_back(report(what, r, all.clocks()[r.second]));
  return found;
}

}  // namespace forkloom::checkers
