// Explorers that learn, told of executions that nobody ran.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/explore/guided.hpp"
#include "framework/explore/portfolio.hpp"
#include "framework/explore/swarm.hpp"
#include "framework/strategy/mutant.hpp"
#include "framework/strategy/random.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::explore;

// A campaign without executions.
struct told {
  coverage_book seen;
  int measured = 0;

  exploration how(std::uint64_t seed = 1) {
    return {.seed = seed,
            .measure =
                [this] {
                  ++measured;
                  return estimate{.k = 50, .n = 3};
                },
            .coverage = &seen};
  }

  // That many executions, of which `new_orderings` says what each shows, by its strategy's text.
  std::vector<std::string> run(
      explorer& e, std::uint64_t executions,
      const std::function<std::size_t(const std::string&)>& new_orderings) {
    std::vector<std::string> specs;
    for (std::uint64_t i = 0; i < executions; ++i) {
      const auto asked = e.next(i);
      REQUIRE(asked);
      specs.push_back(asked->spec);
      coverage shown{.class_hash = 1};
      for (auto n = new_orderings(asked->spec); n > 0; --n) shown.orderings.push_back(++last_);
      seen.add(shown);
      e.learn(execution(), false);
    }
    return specs;
  }

  // Ten steps of two tasks, with one preemption.
  static trace execution() {
    trace t;
    t.steps = 10;
    t.tasks.resize(2);
    t.schedule.assign(10, task_id{0});
    t.pick_kinds.assign(10, pick_kind::usual);
    t.schedule[4] = task_id{1};
    t.pick_kinds[4] = pick_kind::preemption;
    return t;
  }

 private:
  std::uint64_t last_ = 0;
};

std::size_t nothing(const std::string&) { return 0; }

// By the strategy's name; schedules that are mutations have none.
std::map<std::string, std::size_t> by_name(const std::vector<std::string>& specs) {
  std::map<std::string, std::size_t> all;
  for (const auto& spec : specs) ++all[spec.substr(0, spec.find(':'))];
  return all;
}

TEST_CASE("a portfolio gives each strategy its share") {
  told campaign;
  portfolio all(campaign.how());
  const auto uses = by_name(campaign.run(all, 700, nothing));
  CHECK(uses.size() >= 6);
  for (const auto* name : {"random", "sticky", "pos", "pct", "surw", "delay"})
    CHECK(uses.at(name) >= 50);
}

TEST_CASE("a portfolio runs nothing to measure: it begins with random walks") {
  told campaign;
  portfolio all(campaign.how(5));
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const auto asked = all.next(i);
    CHECK(asked->spec == "random");
    // As the strategy of that name alone has them: what it finds at first is found as ever.
    CHECK(asked->seed == strategy::execution_seed(5, i));
    campaign.seen.add({.class_hash = 1});
    all.learn(told::execution(), false);
  }
  const auto later = by_name(campaign.run(all, 20, nothing));
  CHECK(later.size() > 3);
  CHECK(campaign.measured == 0);
}

TEST_CASE("a portfolio shifts half of its budget to the strategy that pays") {
  told campaign;
  portfolio all(campaign.how());
  const auto uses = by_name(campaign.run(
      all, 700, [](const std::string& spec) { return spec.starts_with("pos") ? 1U : 0U; }));
  CHECK(uses.at("pos") > 350);
  CHECK(uses.at("random") >= 50);
}

TEST_CASE("a portfolio goes over to another strategy when one stops to pay") {
  told campaign;
  portfolio all(campaign.how());
  campaign.run(all, 350, [](const std::string& spec) { return spec.starts_with("pos") ? 1U : 0U; });
  // The control of the next line: without the change pos would have more than 175 of 350 again.
  const auto later = by_name(campaign.run(
      all, 350, [](const std::string& spec) { return spec.starts_with("pct") ? 1U : 0U; }));
  CHECK(later.at("pct") > 140);
  CHECK(later.at("pos") < 80);
}

template <class Explorer>
std::vector<std::string> attempts(std::uint64_t seed) {
  told campaign;
  Explorer e(campaign.how(seed));
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto asked = e.next(i);
    all.push_back(asked->spec + " " + std::to_string(asked->seed));
    campaign.seen.add({.class_hash = i % 7, .orderings = {i % 50}});
    e.learn(told::execution(), false);
  }
  return all;
}

TEMPLATE_TEST_CASE("the same seed asks for the same executions, another one for others", "",
                   portfolio, guided, swarm) {
  CHECK(attempts<TestType>(3) == attempts<TestType>(3));
  CHECK(attempts<TestType>(3) != attempts<TestType>(4));
}

TEST_CASE("a swarm draws strategies and parameters of all kinds") {
  told campaign;
  swarm all(campaign.how());
  auto specs = campaign.run(all, 1000, nothing);
  CHECK(by_name(specs).size() == 8);
  std::sort(specs.begin(), specs.end());
  specs.erase(std::unique(specs.begin(), specs.end()), specs.end());
  CHECK(specs.size() > 100);
  for (const auto& spec : specs) CHECK_NOTHROW(parse_strategy(spec));
}

TEST_CASE("guided exploration mutates only what showed a new ordering") {
  told campaign;
  guided none(campaign.how());
  CHECK(by_name(campaign.run(none, 100, nothing)).count("") == 0);
  guided some(campaign.how());
  const auto uses = by_name(
      campaign.run(some, 400, [n = 0](const std::string&) mutable { return n++ == 0 ? 1U : 0U; }));
  // Three in four of 399, with a standard deviation of 9.
  CHECK(uses.at("") > 299 - 45);
  CHECK(uses.at("") < 299 + 45);
}

TEST_CASE("a mutation keeps a schedule in order, with one entry a step") {
  strategy::generator random(1);
  schedule what;
  bool grew = false;
  bool shrank = false;
  for (int i = 0; i < 10'000; ++i) {
    const auto before = what.picks.size();
    mutate(what, {.steps = 40, .tasks = 3}, random);
    grew = grew || what.picks.size() > before;
    shrank = shrank || what.picks.size() < before;
    for (std::size_t n = 0; n < what.picks.size(); ++n) {
      REQUIRE(index(what.picks[n].task) < 3);
      if (n > 0) REQUIRE(what.picks[n - 1].step < what.picks[n].step);
    }
  }
  CHECK(grew);
  CHECK(shrank);
}

// What the swarm lets befall its executions 1, 2, …, if all of that is allowed.
std::vector<hazards> drawn_hazards(const hazards& allowed, std::uint64_t seed,
                                   std::uint64_t executions) {
  told campaign;
  auto how = campaign.how(seed);
  how.may_befall = allowed;
  swarm all(how);
  CHECK(all.next(0)->may_befall == allowed);
  std::vector<hazards> drawn;
  for (std::uint64_t i = 1; i <= executions; ++i) drawn.push_back(*all.next(i)->may_befall);
  return drawn;
}

TEST_CASE("a swarm draws which of the allowed faults may happen, each by itself") {
  const hazards allowed{.faults = parse_faults("kill:3,eintr:1")};
  std::map<std::string, int> times;
  for (const auto& drawn : drawn_hazards(allowed, 1, 400)) ++times[to_string(drawn.faults)];
  CHECK(times.size() == 4);
  // A quarter of 400 each, with a standard deviation below 9.
  for (const auto* one : {"", "kill:3", "eintr:1", "kill:3,eintr:1"}) CHECK(times[one] > 100 - 45);
}

TEST_CASE("a swarm draws whether time-outs race if they may, and leaves other policies alone") {
  const auto racing = [](timeout_policy allowed) {
    const auto drawn = drawn_hazards({.timeouts = allowed}, 1, 200);
    CHECK(std::all_of(drawn.begin(), drawn.end(), [&](const hazards& h) {
      return h.timeouts == allowed || h.timeouts == timeout_policy::idle;
    }));
    return std::count_if(drawn.begin(), drawn.end(),
                         [&](const hazards& h) { return h.timeouts == allowed; });
  };
  CHECK(racing(timeout_policy::race) > 100 - 35);
  CHECK(racing(timeout_policy::race) < 100 + 35);
  CHECK(racing(timeout_policy::never) == 200);
}

TEST_CASE("what a swarm lets happen follows from the seed") {
  const hazards allowed{.faults = parse_faults("kill,stop,eintr"),
                        .timeouts = timeout_policy::race};
  CHECK(drawn_hazards(allowed, 3, 50) == drawn_hazards(allowed, 3, 50));
  CHECK(drawn_hazards(allowed, 3, 50) != drawn_hazards(allowed, 4, 50));
}

TEST_CASE("a mutation gives draws that were made other values, and nothing else") {
  strategy::generator random(1);
  const extent of{.steps = 40,
                  .tasks = 3,
                  .draws = {{.step = 2, .nth = 0, .bound = 2},
                            {.step = 2, .nth = 1, .bound = 5},
                            {.step = 30, .nth = 0, .bound = 3}}};
  schedule what;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> seen;
  bool shrank = false;
  for (int i = 0; i < 10'000; ++i) {
    const auto before = what.draws.size();
    mutate(what, of, random);
    shrank = shrank || what.draws.size() < before;
    for (std::size_t n = 0; n < what.draws.size(); ++n) {
      const auto& d = what.draws[n];
      seen.emplace(d.step, d.nth, d.value);
      if (n > 0)
        REQUIRE(std::pair(what.draws[n - 1].step, what.draws[n - 1].nth) <
                std::pair(d.step, d.nth));
    }
  }
  CHECK(shrank);
  // Each value but 0 of each of them, and of no other.
  CHECK(seen == std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>>{
                    {2, 0, 1}, {2, 1, 1}, {2, 1, 2}, {2, 1, 3}, {2, 1, 4}, {30, 0, 1}, {30, 0, 2}});
  CHECK(!what.picks.empty());
}

TEST_CASE("guided exploration mutates the draws of what showed a new ordering") {
  told campaign;
  guided some(campaign.how());
  auto first = told::execution();
  first.draws = {{.step = 1, .nth = 0, .value = 1, .bound = 2},
                 {.step = 7, .nth = 0, .value = 0, .bound = 2}};
  (void)some.next(0);
  campaign.seen.add({.class_hash = 1, .orderings = {1}});
  some.learn(first, false);
  std::set<std::size_t> draws;
  for (std::uint64_t i = 1; i < 200; ++i) {
    auto asked = some.next(i);
    if (asked->spec.empty())
      asked->strategy.visit([&](auto& strategy) {
        if constexpr (requires { strategy.follows(); })
          draws.insert(strategy.follows().draws.size());
      });
    campaign.seen.add({.class_hash = 1});
    some.learn(first, false);
  }
  CHECK(draws == std::set<std::size_t>{0, 1, 2});
}

TEST_CASE("a mutant follows a fault that its schedule has, however seldom it is, and no other") {
  const schedule what{.picks = {}, .draws = {{1, 0, 1}}};
  strategy::state state = strategy::mutant(what, 5, 1);
  strategy::begin(state, 1);
  execution::task_set tasks;
  tasks.insert(task_id{0});
  CHECK_FALSE(strategy::chance(state, 512));
  (void)strategy::pick(state, {tasks, no_task, false});
  CHECK(strategy::chance(state, 512));
  CHECK_FALSE(strategy::chance(state, 2));
  // From its walk's beginning on, faults are drawn.
  for (int i = 0; i < 5; ++i) (void)strategy::pick(state, {tasks, task_id{0}, false});
  int struck = 0;
  for (int i = 0; i < 200; ++i) struck += strategy::chance(state, 2) ? 1 : 0;
  CHECK(struck > 60);
  CHECK(struck < 140);
}

}  // namespace
