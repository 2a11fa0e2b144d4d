// Explorers that learn, told of executions that nobody ran.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/explore/guided.hpp"
#include "framework/explore/independent.hpp"
#include "framework/explore/interests.hpp"
#include "framework/explore/portfolio.hpp"
#include "framework/explore/selective.hpp"
#include "framework/explore/swarm.hpp"
#include "framework/strategy/mutant.hpp"
#include "framework/strategy/random.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::explore;
using forkloom::testing::trace_builder;

// What an execution brings that none had before.
struct news {
  std::size_t orderings = 0;
  bool new_class = false;
  bool violates = false;
};

// By its strategy's text.
using told_by = std::function<news(const std::string&)>;

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

  std::vector<std::string> run(explorer& e, std::uint64_t executions, const told_by& brings) {
    std::vector<std::string> specs;
    for (std::uint64_t i = 0; i < executions; ++i) {
      const auto asked = e.next(i);
      REQUIRE(asked);
      specs.push_back(asked->spec);
      const auto what = brings(asked->spec);
      coverage shown{.class_hash = what.new_class ? ++last_ : 0};
      for (auto n = what.orderings; n > 0; --n) shown.orderings.push_back(++last_);
      seen.add(shown);
      e.learn(execution(), what.violates);
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

news nothing(const std::string&) { return {}; }

// One that shows a new ordering each time.
told_by finder(std::string name) {
  return [name = std::move(name)](const std::string& spec) -> news {
    return {.orderings = spec.starts_with(name) ? 1U : 0U};
  };
}

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
  const auto uses = by_name(campaign.run(all, 700, finder("pos")));
  CHECK(uses.at("pos") > 350);
  CHECK(uses.at("random") >= 50);
}

TEST_CASE("strategies of a portfolio that pay alike have equal shares") {
  told campaign;
  campaign.seen.add({});  // or the first execution would be of a new class
  portfolio all(campaign.how());
  const auto uses = by_name(campaign.run(all, 700, nothing));
  // A seventh each; the guided one's, while it has nothing to mutate, are sticky walks.
  for (const auto* name : {"random", "pos", "pct", "surw", "delay"})
    CHECK(std::abs(static_cast<int>(uses.at(name)) - 100) <= 3);
  CHECK(std::abs(static_cast<int>(uses.at("sticky")) - 200) <= 6);
}

TEST_CASE("to a portfolio a new class pays something, a violation more, two orderings the most") {
  const auto used = [](const told_by& brings) {
    told campaign;
    portfolio all(campaign.how());
    return by_name(campaign.run(all, 700, brings));
  };
  CHECK(used([](const std::string& spec) -> news {
          return {.new_class = spec.starts_with("pos")};
        }).at("pos") > 350);
  CHECK(used([](const std::string& spec) -> news {
          return {.new_class = spec.starts_with("pos"), .violates = spec.starts_with("pct")};
        }).at("pct") > 350);
  CHECK(used([](const std::string& spec) -> news {
          return {.orderings = spec.starts_with("delay") ? 2U : 0U,
                  .new_class = spec.starts_with("pos"),
                  .violates = spec.starts_with("pct")};
        }).at("delay") > 350);
}

TEST_CASE("one execution with many new orderings does not hold a portfolio to its strategy") {
  told campaign;
  portfolio all(campaign.how());
  const auto uses =
      by_name(campaign.run(all, 200, [found = false](const std::string& spec) mutable -> news {
        if (spec.starts_with("pct")) return {.orderings = 1};
        if (found || spec != "pos") return {};
        found = true;
        return {.orderings = 1'000};
      }));
  // Of some 98 executions that go to the best: a pay that only the thousand could explain would be
  // above pct's for 44 and more.
  CHECK(uses.at("pos") < 40);
  CHECK(uses.at("pct") > 80);
}

TEST_CASE("the guided strategy of a portfolio mutates what the others have found") {
  told campaign;
  portfolio all(campaign.how());
  CHECK(by_name(campaign.run(all, 700, finder("pos"))).at("") > 20);
}

TEST_CASE("no two strategies of a portfolio draw from the same seed") {
  told campaign;
  portfolio all(campaign.how());
  std::set<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < 700; ++i) {
    seeds.insert(all.next(i)->seed);
    campaign.seen.add({.class_hash = 1});
    all.learn(told::execution(), false);
  }
  CHECK(seeds.size() == 700);
}

TEST_CASE("a portfolio's first random walks tell the others how long executions are") {
  trace_builder b;
  const auto x = b.memory("x");
  const auto one = b.task("one");
  const auto other = b.task("other");
  for (int i = 0; i < 3; ++i) b.load(one, x, 0);
  b.store(other, x, 0, 1);
  told campaign;
  portfolio all(campaign.how());
  std::set<std::string> specs;
  for (std::uint64_t i = 0; i < 60; ++i) {
    specs.insert(all.next(i)->spec);
    campaign.seen.add({.class_hash = 1});
    auto t = b.done();
    t.steps = i == 1 ? 70 : 40;  // the longest counts
    all.learn(t, false);
  }
  CHECK(specs.count("pct:3:70") == 1);
  CHECK(specs.count("delay:2:70") == 1);
  interest_book seen;
  seen.add(b.done());
  for (const auto& i : seen.all()) CHECK(specs.count("surw:" + to_text(i)) == 1);
}

TEST_CASE("a portfolio goes over to another strategy when one stops to pay") {
  told campaign;
  portfolio all(campaign.how());
  campaign.run(all, 350, finder("pos"));
  // The control of the next line: without the change pos would have more than 175 of 350 again.
  const auto later = by_name(campaign.run(all, 350, finder("pct")));
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

TEST_CASE("SURW draws anew for each execution which of what was measured is interesting") {
  told campaign;
  auto how = campaign.how();
  how.measure = [] {
    return estimate{.k = 9, .n = 2, .interests = {{.about = 1}, {.about = 2}, {.about = 3}}};
  };
  selective surw(how);
  std::map<std::string, int> times;
  std::set<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto asked = surw.next(i);
    ++times[asked->spec];
    seeds.insert(asked->seed);
  }
  CHECK(seeds.size() == 300);
  // A third of 300 each, with a standard deviation of 8.
  CHECK(times.size() == 3);
  for (const auto& [spec, n] : times) CHECK(std::abs(n - 100) < 40);
}

TEST_CASE("SURW and a swarm do without anything measured") {
  told campaign;  // tells of no operation that would be interesting
  selective surw(campaign.how());
  CHECK(surw.next(0)->spec.starts_with("surw:"));
  swarm any(campaign.how());
  const auto specs = by_name(campaign.run(any, 200, nothing));
  CHECK(specs.at("surw") > 5);
}

TEST_CASE("a strategy that needs to know how long executions are has it measured once") {
  told campaign;
  independent pct(parse_strategy("pct:3"), campaign.how());
  CHECK(campaign.measured == 1);
  CHECK(pct.next(0)->spec == "pct:3:50");
  // 1 / (n k^(d - 1)), for three tasks.
  CHECK(pct.guarantee() == guarantee(parse_strategy("pct:3:50"), 3));
  independent walk(parse_strategy("random"), campaign.how());
  CHECK(campaign.measured == 1);
  CHECK(walk.next(0)->seed != walk.next(1)->seed);
  CHECK(walk.next(5)->seed == strategy::execution_seed(1, 5));
}

TEST_CASE("where a swarm draws SURW, it draws what is interesting, too") {
  told campaign;
  auto how = campaign.how();
  how.measure = [] {
    return estimate{.k = 9, .n = 2, .interests = {{.about = 1}, {.about = 2}, {.about = 3}}};
  };
  swarm all(how);
  std::set<std::uint32_t> about;
  for (const auto& spec : campaign.run(all, 300, nothing))
    if (spec.starts_with("surw")) about.insert(parse_strategy(spec).interest->about);
  CHECK(about == std::set<std::uint32_t>{1, 2, 3});
}

TEST_CASE("a swarm draws parameters from the whole of their ranges, and small ones often") {
  told campaign;
  swarm all(campaign.how());
  std::map<strategy_family, std::map<std::uint32_t, int>> seen;
  for (const auto& spec : campaign.run(all, 20'000, nothing)) {
    const auto drawn = parse_strategy(spec);
    ++seen[drawn.which][drawn.parameter];
    if (needs_estimate(drawn) && drawn.which != strategy_family::surw) CHECK(drawn.k == 50);
  }
  const auto range = [&](strategy_family which) {
    const auto& all_of_it = seen.at(which);
    return std::pair(all_of_it.begin()->first, all_of_it.rbegin()->first);
  };
  CHECK(range(strategy_family::pct) == std::pair(1U, 6U));
  CHECK(range(strategy_family::delay) == std::pair(1U, 8U));
  CHECK(range(strategy_family::sticky) == std::pair(1U, 64U));
  CHECK(range(strategy_family::round_robin) == std::pair(1U, 64U));
  CHECK(range(strategy_family::fair).first == 1);
  CHECK(range(strategy_family::fair).second > 250);
  CHECK(seen.at(strategy_family::sticky).size() == 64);
  CHECK(seen.at(strategy_family::sticky).at(2) > seen.at(strategy_family::sticky).at(50));
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
  const auto uses = by_name(campaign.run(some, 400, [n = 0](const std::string&) mutable -> news {
    return {.orderings = n++ == 0 ? 1U : 0U};
  }));
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
