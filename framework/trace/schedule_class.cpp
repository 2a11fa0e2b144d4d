#include "framework/trace/schedule_class.hpp"

#include <algorithm>
#include <optional>

#include "framework/trace/children.hpp"
#include "framework/trace/fold.hpp"

namespace forkloom {
namespace {

bool completed(const event& e) { return e.how == outcome::completed; }

bool only_one_looked(const event& e) {
  return !completed(e) || e.error != 0 || !traits(e.op).changes || moved_nothing(e) ||
         only_looked(e);
}

// Does this call, which waits now, change what others find?
bool leaves_something(const trace& what, const event& e) {
  switch (e.op) {
    case operation::cond_wait:  // not the one that only waits for its mutex
      return index(e.resource) < what.resources.size() &&
             what.resources[index(e.resource)].kind == resource_kind::condition;
    case operation::barrier_wait:
    case operation::futex_wait:
    case operation::rwlock_wrlock:
    case operation::record_lock:
    case operation::connect:
    case operation::open:
      return true;
    default:
      return false;
  }
}

footprint touched(const event& e, bool changes) {
  footprint print{.counts = true, .first = {e.resource, changes}, .second = {}};
  if (e.second != e.resource) print.second = {e.second, changes};
  return print;
}

bool meet(const touch& a, const touch& b) {
  return a.resource == b.resource && a.resource != no_resource && (a.changes || b.changes);
}

// The hash of a step stands for the step and all that it depends on. So the sum over all steps
// stands for the whole order, and no order among steps that commute gets into it.
class history {
 public:
  explicit history(const trace& what)
      : what_(what), tasks_(what.tasks.size()), resources_(what.resources.size()) {}

  void take(const event& e, const footprint& print) {
    auto& own = of(tasks_, index(e.task));
    if (!own) own = fold(0, index(e.task));
    auto hash = fold(*own, static_cast<std::uint64_t>(e.op));
    hash = fold(hash, static_cast<std::uint64_t>(e.how));
    // Enough of what the caller saw to tell its ways apart, and nothing that numbers differ in.
    hash = fold(hash, static_cast<std::uint64_t>(e.error));
    hash = fold(hash, e.result < 0 ? 2 : e.result == 0 ? 1 : 0);
    for (const auto& t : {print.first, print.second}) hash = look(t, hash);
    for (const auto& t : {print.first, print.second}) leave(t, hash);
    own = hash;
    if ((e.op == operation::fork || e.op == operation::thread_create) && e.error == 0 &&
        e.after < what_.tasks.size())
      of(tasks_, e.after) = fold(hash, 1);
    sum_ += hash;
  }

  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_; }

 private:
  struct place {
    std::uint64_t changed = 0;  // by the last step that changed it
    std::uint64_t looks = 0;    // the sum of those that have looked since
  };

  template <class T>
  static T& of(std::vector<T>& all, std::size_t i) {
    if (i >= all.size()) all.resize(i + 1);
    return all[i];
  }

  std::uint64_t look(const touch& t, std::uint64_t hash) {
    if (t.resource == no_resource) return fold(hash, 0);
    const auto& p = of(resources_, index(t.resource));
    hash = fold(hash, p.changed);
    return t.changes ? fold(hash, p.looks) : hash;
  }

  void leave(const touch& t, std::uint64_t hash) {
    if (t.resource == no_resource) return;
    auto& p = of(resources_, index(t.resource));
    if (t.changes)
      p = {.changed = hash, .looks = 0};
    else
      p.looks += hash;
  }

  const trace& what_;
  std::vector<std::optional<std::uint64_t>> tasks_;  // each one's last step
  std::vector<place> resources_;
  std::uint64_t sum_ = 0;
};

}  // namespace

std::vector<footprint> footprints(const trace& what) {
  std::vector<footprint> all;
  all.reserve(what.events.size());
  for (const auto& e : what.events) {
    if (e.task == no_task || e.op == operation::none)
      all.emplace_back();
    else if (e.how != outcome::blocked)
      all.push_back(touched(e, !only_one_looked(e)));
    else if (leaves_something(what, e))
      all.push_back(touched(e, true));
    else
      all.emplace_back();
  }
  const auto children = resources_of_children(what);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (const auto& e = what.events[i]; e.op == operation::exit && index(e.task) < children.size())
      all[i].second = {children[index(e.task)], false};
  for (const auto& wait : what.waits)
    if (wait.event < all.size() && !all[wait.event].counts)
      all[wait.event] = touched(what.events[wait.event], false);
  return all;
}

bool conflict(const footprint& one, const footprint& other) noexcept {
  if (!one.counts || !other.counts) return false;
  return meet(one.first, other.first) || meet(one.first, other.second) ||
         meet(one.second, other.first) || meet(one.second, other.second);
}

std::uint64_t class_of(const trace& what, const std::vector<footprint>& steps) {
  history all(what);
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i].counts) all.take(what.events[i], steps[i]);
  return all.sum();
}

}  // namespace forkloom
