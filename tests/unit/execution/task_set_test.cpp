#include "framework/execution/task_set.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using execution::task_set;

// On both sides of the borders between words, and at both ends.
const std::vector<task_id> some{task_id{0},   task_id{63},  task_id{64},
                                task_id{127}, task_id{128}, task_id{1023}};

task_set of(const std::vector<task_id>& tasks) {
  task_set set;
  for (const auto task : tasks) set.insert(task);
  return set;
}

TEST_CASE("a fresh set is empty") {
  const task_set set;
  CHECK(set.empty());
  CHECK(set.size() == 0);
  CHECK_FALSE(set.contains(task_id{0}));
}

TEST_CASE("a set contains what was inserted and nothing else") {
  const auto set = of(some);
  CHECK(set.size() == some.size());
  for (const auto task : some) CHECK(set.contains(task));
  CHECK_FALSE(set.contains(task_id{1}));
  CHECK_FALSE(set.contains(task_id{65}));
  CHECK_FALSE(set.contains(no_task));
}

TEST_CASE("inserting twice or erasing what is not there changes nothing") {
  auto set = of(some);
  set.insert(task_id{64});
  set.erase(task_id{65});
  CHECK(set == of(some));
}

TEST_CASE("an erased task is gone, alone") {
  auto set = of(some);
  set.erase(task_id{64});
  CHECK_FALSE(set.contains(task_id{64}));
  CHECK(set.size() == some.size() - 1);
  CHECK_FALSE(set.empty());
  set.clear();
  CHECK(set.empty());
}

TEST_CASE("members are numbered in ascending order") {
  const auto set = of({some.rbegin(), some.rend()});
  for (std::size_t k = 0; k < some.size(); ++k) CHECK(set.nth(k) == some[k]);
}

TEST_CASE("a visit sees every member once, in ascending order") {
  std::vector<task_id> seen;
  of(some).for_each([&](task_id task) { seen.push_back(task); });
  CHECK(seen == some);
}

TEST_CASE("the next member after a task is found wherever it is") {
  const auto set = of({task_id{0}, task_id{63}, task_id{64}, task_id{1023}});
  CHECK(set.next_after(no_task) == task_id{0});
  CHECK(set.next_after(task_id{0}) == task_id{63});
  CHECK(set.next_after(task_id{62}) == task_id{63});
  CHECK(set.next_after(task_id{63}) == task_id{64});
  CHECK(set.next_after(task_id{64}) == task_id{1023});
  CHECK(set.next_after(task_id{1023}) == no_task);
  CHECK(task_set{}.next_after(no_task) == no_task);
}

TEST_CASE("a union has the members of both") {
  auto set = of({task_id{1}, task_id{64}});
  set |= of({task_id{64}, task_id{1000}});
  CHECK(set == of({task_id{1}, task_id{64}, task_id{1000}}));
}

}  // namespace
