// Check, then use: a task looks at a name (access, stat), and its next call on that name goes by
// what it saw: it opens what was there, makes what was not, removes or renames. M. Bishop and M.
// Dilger, "Checking for race conditions in file accesses", Computing Systems 1996. Between the two
// another task may have changed the name:
//
//   nothing was there   somebody puts something there, and the call takes that for its own. Calls
//                       that insist (O_EXCL, mkdir, link, RENAME_NOREPLACE) are told, and are fine.
//   something was       somebody takes it away, or puts something else there.
//
// Told if that came to pass; and also if another task changes the name so at any time that nothing
// orders with the two calls. What is done to the name itself orders them only in this execution:
// another one may have it the other way round; so it is left out before the clocks are made.
//
// Limits: whoever looks through a descriptor (fstat) does not go by the name, and is fine. Looks
// are seen only where everybody may make names, or at names that somebody has changed before. Who
// is told by an error that the name has changed is not blamed for that. An order by other names, or
// by what the trace does not show, is taken for none where it says nothing of the two calls.
#include "checkers/check_then_use.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "checkers/words.hpp"
#include "framework/trace/making.hpp"
#include "framework/trace/vector_clock.hpp"

namespace forkloom::checkers {
namespace {

bool done(const event& e) { return e.how == outcome::completed && e.error == 0; }

// What a call does to a name.
struct effect {
  bool puts = false;   // something is there that was not there before
  bool takes = false;  // what was there is not there any more
};

// A file that an open finds is its resource; the name comes second.
effect effect_on(const event& e, resource_id name) {
  if (!done(e)) return {};
  switch (e.op) {
    case operation::open:
      return {.puts = making_of(e).may_make};
    case operation::link:
    case operation::mkdir:
      return {.puts = e.resource == name};
    case operation::unlink:
      return {.takes = e.resource == name};
    case operation::rename:
      return {.puts = e.second == name, .takes = true};
    default:
      return {};
  }
}

// Does the call go by what is at the name, or is not? One that insists finds out by itself.
bool goes_by(const event& e, resource_id name) {
  switch (e.op) {
    case operation::open:
      return !making_of(e).must_make;
    case operation::unlink:
      return true;
    case operation::link:
      return e.second == name;
    case operation::rename:
      return e.resource == name || e.before != rename_must_make;
    default:
      return false;
  }
}

struct use {
  std::size_t look = 0;
  std::size_t call = 0;
  resource_id name = no_resource;
};

struct meeting {
  std::size_t change = 0;
  bool came_between = false;
};

class reader {
 public:
  explicit reader(const trace& what) : what_(what) {}

  std::vector<violation> read() {
    for (std::size_t i = 0; i < what_.events.size(); ++i) take(i);
    for (const bool came_between : {true, false})
      for (const auto& u : uses_)
        if (!told_.contains(u.name))
          if (const auto met = meet(u, came_between)) tell(u, *met);
    return std::move(found_);
  }

 private:
  void take(std::size_t i) {
    const auto& e = what_.events[i];
    if (e.how != outcome::completed) return;
    for (const auto name : {e.resource, e.second}) {
      if (!is_name(name)) continue;
      if (e.op == operation::look) {
        looks_[{e.task, name}] = i;
        continue;
      }
      // Whatever comes next ends what the look was for.
      const auto look = looks_.find({e.task, name});
      if (look == looks_.end()) continue;
      if (done(e) && goes_by(e, name)) uses_.push_back({look->second, i, name});
      looks_.erase(look);
    }
  }

  [[nodiscard]] bool is_name(resource_id which) const {
    return index(which) < what_.resources.size() &&
           what_.resources[index(which)].kind == resource_kind::directory_entry;
  }

  // The first change by somebody else that makes the look untrue.
  std::optional<meeting> meet(const use& u, bool came_between) {
    const auto& look = what_.events[u.look];
    if (look.error != 0 && look.error != ENOENT) return std::nullopt;
    const auto seen = look.error == 0 ? what_was_seen(u) : no_event;
    for (std::size_t i = 0; i < what_.events.size(); ++i) {
      const auto& e = what_.events[i];
      if (i == seen || e.task == look.task || (e.resource != u.name && e.second != u.name))
        continue;
      const auto does = effect_on(e, u.name);
      if (look.error == 0 ? !does.takes : !does.puts) continue;
      const bool between = u.look < i && i < u.call;
      if (came_between ? between : may_come_between(u, i)) return meeting{i, between};
    }
    return std::nullopt;
  }

  // The call that had put there what the look saw: it cannot come after that look.
  [[nodiscard]] std::size_t what_was_seen(const use& u) const {
    for (auto i = u.look; i-- > 0;)
      if (effect_on(what_.events[i], u.name).puts) return i;
    return no_event;
  }

  bool may_come_between(const use& u, std::size_t change) {
    const auto& clocks = clocks_without(u.name);
    return !happens_before(what_, clocks, change, u.look) &&
           !happens_before(what_, clocks, u.call, change);
  }

  const std::vector<vector_clock>& clocks_without(resource_id name) {
    const auto [entry, fresh] = clocks_.try_emplace(name);
    if (!fresh) return entry->second;
    trace rest;
    rest.tasks = what_.tasks;
    rest.resources = what_.resources;
    rest.events = what_.events;
    for (auto& e : rest.events) {
      if (e.resource == name) e.op = operation::none;
      if (e.second == name) e.second = no_resource;
    }
    return entry->second = vector_clocks(rest);
  }

  [[nodiscard]] std::string who(std::size_t i) const {
    return what_.task_name(what_.events[i].task);
  }

  void tell(const use& u, const meeting& met) {
    told_.insert(u.name);
    const auto& look = what_.events[u.look];
    const auto& change = what_.events[met.change];
    const auto does = text(name(change.op), at(what_, met.change));
    const auto x = what_.resource_name(u.name);
    found_.push_back(
        {.kind = violation_kind::permissions,
         .message = text(
             who(u.look), " looks at ", x, at(what_, u.look),
             look.error == 0 ? "" : " and finds nothing", ", and goes by that in its ",
             name(what_.events[u.call].op), at(what_, u.call), "; ", who(met.change),
             met.came_between ? " came between with its " : " may come between with its ", does),
         .tasks = names(what_, std::vector{look.task, change.task}),
         .resource = x,
         .evidence = evidence({u.look, u.call, met.change})});
  }

  const trace& what_;
  std::map<std::pair<task_id, resource_id>, std::size_t> looks_;
  std::vector<use> uses_;
  std::map<resource_id, std::vector<vector_clock>> clocks_;
  std::set<resource_id> told_;
  std::vector<violation> found_;
};

}  // namespace

std::vector<violation> judge_check_then_use(const trace& what) { return reader(what).read(); }

}  // namespace forkloom::checkers
