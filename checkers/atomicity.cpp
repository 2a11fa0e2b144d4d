// Atomicity: a block that the program marks as atomic (forkloom/atomically.hpp), and in which
// others interfered so that no order of whole blocks explains what happened.
//
// C. Flanagan, S. N. Freund and J. Yi, "Velodrome: a sound and complete dynamic atomicity checker
// for multithreaded programs", PLDI 2008. A transaction is a marked block, or a single access
// outside of all. One comes before another if both are of one task, in its order; or if they access
// the same place, one of them writes, and its access came first. The execution is as if the blocks
// had run one after the other exactly if that has no circle.
//
// The smallest circles are known by their shape (S. Lu, J. Tucek, F. Qin and Y. Zhou, "AVIO",
// ASPLOS 2006): two accesses of the block with a foreign one between, of the forms read-write-read,
// write-write-read, write-read-write and read-write-write. They are told in those words.
//
// Only memory that is watched counts as accessed (shared<T>, forkloom::memory, instrumented code);
// locks and other calls order nothing here. A compare-exchange that fails is a read. A nested block
// belongs to the one around it.
//
// One violation for each block name, the first.
//
// Limits: a block that looks, and tries again if others came between, is not atomic by this rule:
// let the block begin with each try. Values are not looked at: a foreign write between two of the
// block's own counts, though nobody read it. Places that overlap without being the same are taken
// apart.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "checkers/checker.hpp"
#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

bool is_access(const event& e) {
  return (e.op == operation::load || e.op == operation::store || e.op == operation::modify) &&
         e.how == outcome::completed && e.error == 0 && e.resource != no_resource;
}

bool writes(const event& e) {
  return e.op == operation::store || (e.op == operation::modify && e.before != e.after);
}

// A later transaction, and the two accesses that made it so; the order of one task has none.
struct edge {
  std::size_t to = 0;
  std::size_t first = no_event;
  std::size_t second = no_event;
};

struct transaction {
  task_id task = no_task;
  std::size_t block = no_event;  // the event that entered it; none of a single access
  std::vector<edge> after;
};

struct place {
  std::size_t write = no_event;          // the latest,
  std::map<task_id, std::size_t> reads;  // and each task's latest since
};

// The way from a block to one that must come after it, and the access that leads back.
struct circle {
  std::size_t block = 0;  // a transaction
  std::vector<edge> way;
  edge back;
};

class reader {
 public:
  explicit reader(const trace& what)
      : what_(what), open_(what.tasks.size()), latest_(what.tasks.size(), no_event) {}

  std::vector<circle> circles() {
    for (std::size_t i = 0; i < what_.events.size(); ++i)
      if (index(what_.events[i].task) < open_.size()) take(i);
    return std::move(found_);
  }

  [[nodiscard]] const transaction& operator[](std::size_t t) const { return all_[t]; }

 private:
  struct open_block {
    std::size_t depth = 0;
    std::size_t entered = no_event;
  };

  void take(std::size_t i) {
    const auto& e = what_.events[i];
    auto& open = open_[index(e.task)];
    if (e.op == operation::enter_block && open.depth++ == 0) {
      open.entered = i;
      begin(e.task, i);
    }
    if (e.op == operation::leave_block && open.depth > 0 && --open.depth == 0)
      open.entered = no_event;
    if (is_access(e)) access(i);
  }

  void begin(task_id task, std::size_t entered) {
    auto& latest = latest_[index(task)];
    if (latest != no_event) all_[latest].after.push_back({.to = all_.size()});
    latest = all_.size();
    all_.push_back({.task = task, .block = entered, .after = {}});
  }

  void access(std::size_t i) {
    const auto& e = what_.events[i];
    if (open_[index(e.task)].depth == 0) begin(e.task, no_event);
    const auto own = latest_[index(e.task)];
    of_event_[i] = own;
    auto& x = places_[e.resource];
    if (x.write != no_event) comes_after(own, x.write, i);
    if (!writes(e)) {
      x.reads[e.task] = i;
      return;
    }
    for (const auto& [task, read] : x.reads) comes_after(own, read, i);
    x.reads.clear();
    x.write = i;
  }

  void comes_after(std::size_t own, std::size_t first, std::size_t second) {
    const auto from = of_event_.at(first);
    if (from == own) return;
    const edge back{.to = own, .first = first, .second = second};
    // Only a transaction that is still open can have been left before and come back to now.
    if (all_[own].block != no_event && !all_[own].after.empty()) look_for_way(own, from, back);
    all_[from].after.push_back(back);
  }

  void look_for_way(std::size_t own, std::size_t from, const edge& back) {
    const auto name = what_.events[all_[own].block].resource;
    if (told_.contains(name)) return;
    std::map<std::size_t, edge> came_by;  // breadth first: the shortest way tells most
    std::vector<std::size_t> next{own};
    for (std::size_t n = 0; n < next.size() && !came_by.contains(from); ++n)
      for (const auto& e : all_[next[n]].after)
        if (e.to != own && came_by.emplace(e.to, edge{next[n], e.first, e.second}).second)
          next.push_back(e.to);
    if (!came_by.contains(from)) return;
    told_.insert(name);
    circle c{.block = own, .way = {}, .back = back};
    for (auto t = from; t != own; t = came_by.at(t).to)
      c.way.insert(c.way.begin(), {t, came_by.at(t).first, came_by.at(t).second});
    found_.push_back(std::move(c));
  }

  const trace& what_;
  std::vector<open_block> open_;     // by task
  std::vector<std::size_t> latest_;  // by task: its latest transaction
  std::vector<transaction> all_;
  std::map<std::size_t, std::size_t> of_event_;
  std::map<resource_id, place> places_;
  std::set<resource_id> told_;
  std::vector<circle> found_;
};

std::string_view verb(const event& e) {
  if (e.op == operation::modify && writes(e)) return "changed";
  return writes(e) ? "wrote" : "read";
}

// "teller 0 read account at a.cpp:12".
std::string access_words(const trace& what, std::size_t event) {
  const auto& e = what.events[event];
  return text(what.task_name(e.task), " ", verb(e), " ", what.resource_name(e.resource),
              at(what, event));
}

// "read-write-read", of two accesses with a foreign one between.
std::string shape(const trace& what, std::size_t first, std::size_t foreign, std::size_t last) {
  const auto word = [&](std::size_t i) { return writes(what.events[i]) ? "write" : "read"; };
  return text(word(first), "-", word(foreign), "-", word(last));
}

violation report(const trace& what, const reader& all, const circle& c) {
  const auto& block = what.events[all[c.block].block];
  const auto name = what.resource_name(block.resource);
  const auto& out = c.way.front();
  std::vector<task_id> tasks{block.task};
  std::vector<std::size_t> proof{all[c.block].block, c.back.first, c.back.second};
  violation found{.kind = violation_kind::atomicity, .resource = name};
  for (const auto& step : c.way) {
    tasks.push_back(all[step.to].task);
    if (step.first == no_event) continue;
    proof.insert(proof.end(), {step.first, step.second});
    found.details.push_back(
        text(access_words(what, step.first), "; after it, ", access_words(what, step.second)));
  }
  found.details.push_back(
      text(access_words(what, c.back.first), "; after it, ", access_words(what, c.back.second)));
  if (c.way.size() == 1 && out.second == c.back.first)
    found.details.push_back(text("the accesses are ",
                                 shape(what, out.first, out.second, c.back.second),
                                 ": no order of whole blocks has the same result"));
  found.message = text(name, " of ", what.task_name(block.task), " is not atomic: after it began, ",
                       access_words(what, out.second), ", and before it ended, ",
                       access_words(what, c.back.second), ": others came between");
  found.tasks = names(what, tasks);
  found.evidence = evidence(std::move(proof));
  return found;
}

bool enters_block(const event& e) { return e.op == operation::enter_block; }

}  // namespace

std::vector<violation> check_atomicity(const trace& what, const limits&) {
  if (std::none_of(what.events.begin(), what.events.end(), enters_block)) return {};
  reader all(what);
  std::vector<violation> found;
  for (const auto& c : all.circles()) found.push_back(report(what, all, c));
  return found;
}

}  // namespace forkloom::checkers
