// Which schedules guided exploration keeps, and which of them it mutates.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "framework/explore/guided.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using explore::coverage_book;
using explore::guided;

schedule copy_of(const strategy::script& what) {
  return {.picks = {what.picks.begin(), what.picks.end()},
          .draws = {what.draws.begin(), what.draws.end()}};
}

// A campaign without executions: each is told of as one with a preemption at a step of its own.
struct told {
  coverage_book seen;
  guided strategy{{.seed = 1, .coverage = &seen}};
  std::uint64_t last = 0;

  static trace preempted_at(std::uint32_t step) {
    trace t;
    t.steps = step + 1;
    t.tasks.resize(2);
    t.schedule.assign(step + 1, task_id{0});
    t.pick_kinds.assign(step + 1, pick_kind::usual);
    t.schedule[step] = task_id{1};
    t.pick_kinds[step] = pick_kind::preemption;
    return t;
  }

  void learn(const trace& what, bool is_new) {
    coverage shown{.class_hash = 1};
    if (is_new) shown.orderings.push_back(++last);
    seen.add(shown);
    strategy.learn(what, false);
  }

  [[nodiscard]] std::string kept() const {
    const auto said = strategy.conclusion();
    return said.substr(0, said.find(' '));
  }

  // The schedules that so many mutations follow; of others they only differ in where they end.
  std::vector<schedule> followed(std::uint64_t executions) {
    std::vector<schedule> found;
    for (std::uint64_t i = 0; i < executions; ++i) {
      auto asked = strategy.next(i);
      if (!asked->spec.empty()) continue;
      asked->strategy.visit([&](auto& s) {
        if constexpr (requires { s.follows(); }) found.push_back(copy_of(s.follows()));
      });
    }
    return found;
  }
};

// How many begin with a pick near that step: mutations move one by a few steps, or add one.
long near(const std::vector<schedule>& all, std::uint32_t step) {
  return std::count_if(all.begin(), all.end(), [&](const schedule& s) {
    return !s.picks.empty() && s.picks[0].step + 60 > step && s.picks[0].step < step + 60;
  });
}

TEST_CASE("only executions with a new ordering are kept, and no empty ones") {
  told campaign;
  campaign.learn(told::preempted_at(4), false);
  CHECK(campaign.kept() == "0");
  campaign.learn(trace{}, true);
  CHECK(campaign.kept() == "0");
  campaign.learn(told::preempted_at(4), true);
  CHECK(campaign.kept() == "1");
}

TEST_CASE("a schedule of more entries than its token could hold is not kept") {
  const auto restless = [](std::size_t preemptions, std::size_t draws) {
    trace t;
    t.steps = 2 * preemptions;
    t.tasks.resize(2);
    for (std::size_t i = 0; i < preemptions; ++i)
      for (const auto kind : {pick_kind::usual, pick_kind::preemption}) {
        t.schedule.push_back(task_id(static_cast<std::uint16_t>(i % 2)));
        t.pick_kinds.push_back(kind);
      }
    for (std::size_t i = 0; i < draws; ++i)
      t.draws.push_back({.step = static_cast<std::uint32_t>(i), .value = 1, .bound = 2});
    return t;
  };
  told campaign;
  campaign.learn(restless(guided::entries_max - 9, 10), true);
  CHECK(campaign.kept() == "0");
  campaign.learn(restless(guided::entries_max - 9, 9), true);
  CHECK(campaign.kept() == "1");
}

TEST_CASE("of two schedules the less used one is mutated") {
  told campaign;
  campaign.learn(told::preempted_at(100), true);
  CHECK(near(campaign.followed(200), 100) > 60);
  campaign.learn(told::preempted_at(5'000), true);
  // Until both have been used alike it is the new one, whenever both are looked at.
  const auto both = campaign.followed(200);
  CHECK(near(both, 5'000) > 2 * near(both, 100));
}

TEST_CASE("half of the time a schedule is followed to a place, else it is mutated once or more") {
  told campaign;
  campaign.learn(told::preempted_at(100), true);
  const auto followed = campaign.followed(1'000);
  const schedule kept = schedule_of(told::preempted_at(100));
  const auto unchanged = std::count(followed.begin(), followed.end(), kept);
  const auto all = static_cast<long>(followed.size());
  CHECK(unchanged > all * 2 / 5);
  CHECK(unchanged < all * 3 / 5);
  CHECK(std::any_of(followed.begin(), followed.end(),
                    [](const schedule& s) { return s.picks.size() >= 3; }));
}

TEST_CASE("when there is room for no more, what was used most goes") {
  told campaign;
  campaign.learn(told::preempted_at(7), true);
  const auto used = campaign.followed(40).size();
  CHECK(used > 20);
  for (std::uint32_t i = 1; i < guided::kept_max; ++i)
    campaign.learn(told::preempted_at(10'000 + 100 * i), true);
  CHECK(campaign.kept() == std::to_string(guided::kept_max));
  campaign.learn(told::preempted_at(70'000), true);
  CHECK(campaign.kept() == std::to_string(guided::kept_max));
  // So often that all the others have been used more than that one had been.
  const auto after = campaign.followed(2 * used * guided::kept_max);
  const auto gone = schedule_of(told::preempted_at(7));
  CHECK(std::count(after.begin(), after.end(), gone) == 0);
}

TEST_CASE("of very many draws some are remembered, from all of the execution") {
  auto many = told::preempted_at(4'000);
  for (std::uint32_t i = 0; i < 4'000; ++i)
    many.draws.push_back({.step = i, .nth = 0, .value = 0, .bound = 2});
  told campaign;
  campaign.learn(many, true);
  std::set<std::uint32_t> places;
  for (const auto& made : campaign.followed(8'000))
    for (const auto& draw : made.draws) places.insert(draw.step);
  CHECK(places.size() <= guided::draws_max);
  CHECK(*places.begin() < 100);
  CHECK(*places.rbegin() > 3'900);
}

TEST_CASE("it is said how many executions were mutations") {
  told campaign;
  campaign.learn(told::preempted_at(4), true);
  int mutated = 0;
  for (std::uint64_t i = 0; i < 100; ++i)
    mutated += campaign.strategy.next(i)->spec.empty() ? 1 : 0;
  CHECK(campaign.strategy.conclusion() == "1 schedule kept for a new ordering; " +
                                              std::to_string(mutated) +
                                              " mutations of kept ones executed");
}

}  // namespace
