// The hash of a class beside its definition, over generated programs and schedules of them.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "framework/trace/coverage.hpp"
#include "framework/trace/schedule_class.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/property.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

constexpr std::size_t task_count = 3;
constexpr std::size_t resource_count = 3;

// What a task does at one step: a look or a change at one resource, or a change at two.
struct action {
  operation op = operation::load;
  std::size_t first = 0;
  std::size_t second = 0;  // the same: only one
};

using program = std::vector<std::vector<action>>;
using schedule = std::vector<std::size_t>;  // the task of each step

program any_program() {
  program all(task_count);
  for (auto& task : all) {
    const auto length = *rc::gen::inRange<std::size_t>(0, 5);
    for (std::size_t i = 0; i < length; ++i) {
      const auto first = *rc::gen::inRange<std::size_t>(0, resource_count);
      const auto op = *rc::gen::element(operation::load, operation::store, operation::rename);
      const auto second =
          op == operation::rename ? *rc::gen::inRange<std::size_t>(0, resource_count) : first;
      task.push_back({op, first, second});
    }
  }
  return all;
}

schedule any_schedule(const program& what) {
  schedule steps;
  for (std::size_t t = 0; t < what.size(); ++t)
    for (std::size_t i = 0; i < what[t].size(); ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, steps.size() + 1);
      steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at), t);
    }
  return steps;
}

// Resources have the numbers and names that real traces give them: in the order of first use.
trace run(const program& what, const schedule& steps) {
  trace_builder b;
  for (std::size_t t = 0; t < what.size(); ++t) b.task("task " + std::to_string(t));
  std::map<std::size_t, resource_id> numbers;
  std::vector<std::size_t> done(what.size());
  const auto number = [&](std::size_t resource) {
    const auto known = numbers.find(resource);
    if (known != numbers.end()) return known->second;
    const auto name = "name " + std::to_string(numbers.size() + 1);
    return numbers[resource] = b.resource(name, resource_kind::directory_entry);
  };
  for (const auto t : steps) {
    const auto& a = what[t][done[t]];
    const auto first = number(a.first);
    const auto second = a.op == operation::rename ? number(a.second) : no_resource;
    const auto at = b.does(task_id(t), a.op, first, {.second = second});
    b.raw().events[at].site = 100 * t + done[t]++;
  }
  return b.done();
}

bool meet(const action& a, const action& b) {
  if (a.op == operation::load && b.op == operation::load) return false;
  return a.first == b.first || a.first == b.second || a.second == b.first || a.second == b.second;
}

// The class by its definition: for each pair of steps that do not commute, which comes first.
using orders =
    std::map<std::pair<std::pair<std::size_t, std::size_t>, std::pair<std::size_t, std::size_t>>,
             bool>;

orders orders_of(const program& what, const schedule& steps) {
  std::vector<std::pair<std::size_t, std::size_t>> places;
  std::vector<std::size_t> done(what.size());
  for (const auto t : steps) places.emplace_back(t, done[t]++);
  orders all;
  for (std::size_t j = 0; j < places.size(); ++j)
    for (std::size_t i = 0; i < j; ++i) {
      const auto& [a, x] = places[i];
      const auto& [b, y] = places[j];
      if (a == b || !meet(what[a][x], what[b][y])) continue;
      all[std::minmax(places[i], places[j])] = places[i] < places[j];
    }
  return all;
}

std::uint64_t class_hash(const trace& t) { return class_of(t, footprints(t)); }

TEST_CASE("two schedules are of one class exactly if all steps that conflict have one order") {
  std::size_t same = 0;
  std::size_t all = 0;
  CHECK(holds(11, 2000, [&] {
    const auto what = any_program();
    const auto one = any_schedule(what);
    const auto other = any_schedule(what);
    const bool equivalent = orders_of(what, one) == orders_of(what, other);
    RC_ASSERT((class_hash(run(what, one)) == class_hash(run(what, other))) == equivalent);
    ++all;
    if (equivalent && one != other) ++same;
  }));
  // Neither answer is rare, or the comparison would say little.
  CHECK(same > all / 20);
  CHECK(same < all - all / 20);
}

TEST_CASE("a swap of neighbours that commute changes neither class nor orderings, others do") {
  std::size_t conflicting = 0;
  std::size_t commuting = 0;
  CHECK(holds(12, 2000, [&] {
    const auto what = any_program();
    const auto before = any_schedule(what);
    RC_PRE(before.size() >= 2);
    const auto at = *rc::gen::inRange<std::size_t>(0, before.size() - 1);
    RC_PRE(before[at] != before[at + 1]);
    auto after = before;
    std::swap(after[at], after[at + 1]);
    const auto one = run(what, before);
    const auto other = run(what, after);
    const auto steps = footprints(one);
    if (conflict(steps[at], steps[at + 1])) {
      ++conflicting;
      RC_ASSERT(class_hash(one) != class_hash(other));
      RC_ASSERT(coverage_of(one).orderings != coverage_of(other).orderings);
    } else {
      ++commuting;
      RC_ASSERT(class_hash(one) == class_hash(other));
      RC_ASSERT(coverage_of(one).orderings == coverage_of(other).orderings);
    }
  }));
  CHECK(conflicting > 100);
  CHECK(commuting > 100);
}

}  // namespace
