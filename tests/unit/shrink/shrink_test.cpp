#include "framework/shrink/shrink.hpp"

#include <algorithm>
#include <cstdlib>

#include "framework/shrink/search.hpp"
#include "tests/catch.hpp"
#include "tests/unit/shrink/toy.hpp"

namespace {

using namespace forkloom;
using tests::at;
using tests::between;
using tests::toy;
using tests::toy_order;

// All steps are about one thing.
std::vector<std::vector<unsigned>> busy(std::size_t tasks, std::size_t steps) {
  return std::vector(tasks, std::vector<unsigned>(steps, 0));
}

shrink::result shrunk(toy& system, const schedule& from, std::uint64_t executions = 500) {
  auto first = system.run(from);
  REQUIRE(first.fails);
  system.executions = 0;
  return shrink::shrink(std::move(first), system.runner(), {.executions = executions}, "0");
}

TEST_CASE("a failure that needs no preemption ends without one") {
  toy system{busy(3, 10), [](const toy_order& order) {
               return at(order, {2, 9}) < at(order, {0, 0});
             }};
  schedule from;
  for (std::uint32_t i = 0; i < 20; ++i)
    from.picks.push_back({i, task_id(static_cast<std::uint16_t>(2 - i % 2))});
  const auto made = shrunk(system, from);
  CHECK(made.before.preemptions > 10);
  CHECK(made.after.preemptions == 0);
  CHECK(made.best.fails);
}

TEST_CASE("a lost update ends with the one preemption that it needs") {
  // Task 0 reads in its step 4 and writes in its step 5.
  toy system{busy(2, 10), [](const toy_order& order) {
               return between(order, {0, 4}, {1, 4}, {0, 5});
             }};
  const auto made = shrunk(system, tests::restless(14, 2));
  CHECK(made.after.preemptions == 1);
  CHECK(made.complete);
  CHECK(schedule_of(made.best.what_happened).picks == std::vector<scheduled_pick>{{5, task_id{1}}});
}

TEST_CASE("two preemptions stay if two are needed") {
  toy system{busy(3, 6), [](const toy_order& order) {
               return between(order, {0, 2}, {1, 2}, {0, 3}) &&
                      between(order, {1, 2}, {2, 2}, {1, 3}) &&
                      at(order, {0, 3}) < at(order, {1, 3}) &&
                      at(order, {2, 3}) > at(order, {1, 3});
             }};
  schedule from = {.picks = {{0, task_id{0}},
                             {3, task_id{1}},
                             {6, task_id{2}},
                             {9, task_id{0}},
                             {10, task_id{1}},
                             {11, task_id{0}},
                             {12, task_id{1}}},
                   .draws = {}};
  const auto made = shrunk(system, from, 2'000);
  CHECK(made.after.preemptions == 3);
}

// The value of the draw of that step of that task, wherever it has gone.
std::uint32_t drawn(const toy& system, tests::toy_step which) {
  return system.last_values.at(which);
}

// In turn, two steps each: as ping_pong is.
schedule in_turn() {
  return {.picks =
              {{0, task_id{0}}, {2, task_id{1}}, {4, task_id{0}}, {6, task_id{1}}, {8, task_id{0}}},
          .draws = {}};
}

// A failure that needs three preemptions.
bool ping_pong(const toy_order& order) {
  return between(order, {0, 1}, {1, 1}, {0, 2}) && between(order, {1, 1}, {0, 3}, {1, 2}) &&
         between(order, {0, 3}, {1, 3}, {0, 4});
}

// One that needs a single preemption: task 1 comes first, and all of task 0 before that step of it.
bool interlude(const toy_order& order, unsigned step) {
  const auto last = static_cast<unsigned>(order.size() / 2 - 1);
  return between(order, {1, step - 1}, {0, last}, {1, step}) &&
         at(order, {0, 0}) > at(order, {1, step - 1});
}

TEST_CASE("the search finds what no merge of two blocks does") {
  toy system{busy(2, 8),
             [](const toy_order& order) { return ping_pong(order) || interlude(order, 7); }};
  const auto made = shrunk(system, in_turn());
  CHECK(made.after.preemptions == 1);
}

TEST_CASE("the search tries one preemption before it tries all pairs of faults") {
  // Every step draws, so there are some 400 pairs of faults. The first failure takes two of them.
  toy system{busy(2, 8), {}};
  for (unsigned step = 0; step < 8; ++step)
    for (const auto task : {0U, 1U}) system.draws.push_back({task, step});
  system.fails = [&](const toy_order& order) {
    const bool struck = drawn(system, {0, 1}) == 1 && drawn(system, {1, 1}) == 1;
    return (struck && ping_pong(order)) || interlude(order, 7);
  };
  auto from = in_turn();
  from.draws = {{2, 0, 1}, {4, 0, 1}};
  const auto made = shrunk(system, from, 400);
  CHECK(made.before.faults == 2);
  CHECK(made.after.preemptions == 1);
  CHECK(made.after.faults == 0);
}

TEST_CASE("the search looks first where the failure is about") {
  // All steps but the 21st of each are about another thing.
  auto tasks = std::vector(2, std::vector<unsigned>(30, 1));
  for (auto& steps : tasks) steps[20] = 0;
  toy system{tasks,
             [](const toy_order& order) { return ping_pong(order) || interlude(order, 20); }};
  // There are 20 other preemptions of task 1 before that one, and 29 of task 0.
  const auto made = shrunk(system, in_turn(), 40);
  CHECK(made.after.preemptions == 1);
}

// How far from task 0's step 6 task 1 begins.
std::uint64_t detour(const trace& what) {
  const auto begins =
      std::find(what.schedule.begin(), what.schedule.end(), task_id{1}) - what.schedule.begin();
  return static_cast<std::uint64_t>(std::abs(begins - 6));
}

TEST_CASE("a preemption moves together with those behind it, and the search leaves time for that") {
  // Task 1 must make just two steps while task 0 is at work.
  toy system{busy(2, 20), [](const toy_order& order) {
               return between(order, {0, 0}, {1, 0}, {0, 19}) &&
                      between(order, {1, 1}, {0, 19}, {1, 2}) &&
                      at(order, {1, 1}) == at(order, {1, 0}) + 1;
             }};
  const shrink::runner run = [&](const schedule& what) {
    auto made = system.run(what);
    made.what_happened.steps += detour(made.what_happened);
    return made;
  };
  for (const std::uint32_t step : {5U, 7U}) {
    CAPTURE(step);
    auto first = run({.picks = {{step, task_id{1}}, {step + 2, task_id{0}}}, .draws = {}});
    REQUIRE(first.fails);
    // There are some 40 schedules with one preemption, of which none will do.
    const auto made = shrink::shrink(std::move(first), run, {.executions = 40}, "0");
    CHECK_FALSE(made.complete);
    CHECK(schedule_of(made.best.what_happened).picks ==
          std::vector<scheduled_pick>{{6, task_id{1}}, {8, task_id{0}}});
  }
}

TEST_CASE("merging leaves the search its share, of executions and of steps") {
  // Either the very order that was found, which no merge keeps, or the simple one.
  for (const bool by_steps : {false, true}) {
    CAPTURE(by_steps);
    toy system{busy(2, 40), {}};
    toy_order found;
    system.fails = [&](const toy_order& order) {
      if (found.empty()) found = order;
      return order == found || interlude(order, 1);
    };
    auto first = system.run(tests::restless(80, 2));
    REQUIRE(first.fails);
    shrink::budget within{.executions = 120};
    if (by_steps) within = {.executions = 10'000, .steps = 120 * 80};
    const auto made = shrink::shrink(std::move(first), system.runner(), within, "0");
    CHECK(made.after.preemptions == 1);
  }
}

TEST_CASE("a failure that the usual course shows, too, takes few executions to see that") {
  toy system{busy(3, 10), [](const toy_order&) { return true; }};
  const auto made = shrunk(system, tests::restless(20, 3));
  CHECK(made.executions < 12);
  CHECK(made.after.preemptions == 0);
  CHECK(schedule_of(made.best.what_happened) == schedule{});
}

TEST_CASE("two preemptions are found where merging stops at three") {
  // Task 1 makes three steps, task 0 four, and each needs the other to have stopped there.
  toy system{busy(2, 8), [](const toy_order& order) {
               const bool two = at(order, {0, 0}) > at(order, {1, 2}) &&
                                between(order, {1, 2}, {0, 3}, {1, 3}) &&
                                between(order, {0, 3}, {1, 7}, {0, 4});
               return two || ping_pong(order);
             }};
  const auto made = shrunk(system, in_turn(), 2'000);
  CHECK(made.before.preemptions > 2);
  CHECK(made.after.preemptions == 2);
  CHECK(made.complete);
}

TEST_CASE("a failure without a fault is given none") {
  toy system{busy(2, 6), {}, {{0, 1}, {1, 2}}};
  system.fails = [&](const toy_order& order) {
    return drawn(system, {1, 2}) == 1 || between(order, {0, 2}, {1, 2}, {0, 3});
  };
  const auto made = shrunk(system, {.picks = {{3, task_id{1}}, {6, task_id{0}}}, .draws = {}});
  CHECK(made.after.preemptions == 1);
  CHECK(made.after.faults == 0);
}

TEST_CASE("what is told of as better is better, and every schedule that is tried is in order") {
  toy system{busy(3, 8), {}};
  for (unsigned step = 0; step < 8; ++step) system.draws.push_back({0, step});
  system.fails = [&](const toy_order& order) {
    return drawn(system, {0, 3}) != 0 && between(order, {0, 4}, {2, 4}, {0, 5}) &&
           between(order, {2, 2}, {1, 3}, {2, 3});
  };
  auto from = tests::restless(24, 3);
  for (std::uint32_t step = 1; step <= 24; ++step) from.draws.push_back({step, 0, 1});
  auto first = system.run(from);
  REQUIRE(first.fails);
  const shrink::runner run = [&](const schedule& what) {
    for (std::size_t i = 0; i < what.picks.size(); ++i)
      CHECK(what.picks[i].step < (i + 1 < what.picks.size() ? what.picks[i + 1].step : 1'000));
    for (std::size_t i = 1; i < what.draws.size(); ++i)
      CHECK(what.draws[i - 1].step < what.draws[i].step);
    return system.run(what);
  };
  auto last = shrink::cost_of(first.what_happened);
  const auto made = shrink::shrink(std::move(first), run, {.executions = 600}, "0",
                                   [&](std::uint64_t, const shrink::cost& best) {
                                     CHECK(best < last);
                                     last = best;
                                   });
  CHECK(made.after == last);
  CHECK(made.after.faults == 1);
}

TEST_CASE("a preemption moves to where the execution takes the fewest steps") {
  // Task 1 must begin while task 0 is at work. It then has to try again and again, or task 0 has,
  // unless it begins just before task 0's step 6.
  toy system{busy(2, 10), [](const toy_order& order) {
               return between(order, {0, 0}, {1, 0}, {0, 9});
             }};
  const shrink::runner run = [&](const schedule& what) {
    auto made = system.run(what);
    made.what_happened.steps += detour(made.what_happened);
    return made;
  };
  for (const std::uint32_t step : {2U, 9U}) {
    CAPTURE(step);
    auto made = shrink::shrink(run({.picks = {{step, task_id{1}}}, .draws = {}}), run,
                               {.executions = 500}, "0");
    CHECK(schedule_of(made.best.what_happened).picks ==
          std::vector<scheduled_pick>{{6, task_id{1}}});
    CHECK(made.after.steps == 20);
  }
}

TEST_CASE("draws that do not matter become 0, and one that does stays") {
  toy system{busy(2, 5), {}, {{0, 1}, {0, 3}, {1, 2}}};
  system.fails = [&](const toy_order&) {
    return std::any_of(system.last_draws.begin(), system.last_draws.end(),
                       [](const draw_record& draw) { return draw.value == 2; });
  };
  const schedule from{.picks = {{2, task_id{1}}, {4, task_id{0}}}, .draws = {{3, 0, 1}, {6, 0, 2}}};
  // The draw of task 0's step 3 is the one in question, wherever it has gone.
  const auto made = shrunk(system, from);
  CHECK(made.after.preemptions == 0);
  CHECK(made.after.faults == 1);
}

TEST_CASE("of several faults the one that matters is left, with the preemption that it needs") {
  toy system{busy(2, 8), {}, {{0, 1}, {0, 3}, {0, 5}, {1, 1}, {1, 4}, {1, 6}}};
  system.fails = [&](const toy_order& order) {
    return drawn(system, {1, 4}) == 1 && between(order, {0, 4}, {1, 4}, {0, 5});
  };
  // In turn, and every draw is 1.
  auto from = tests::restless(16, 2);
  for (std::uint32_t step = 1; step <= 16; ++step) from.draws.push_back({step, 0, 1});
  const auto made = shrunk(system, from);
  CHECK(made.before.faults == 6);
  CHECK(made.after.preemptions == 1);
  CHECK(made.after.faults == 1);
  CHECK(made.complete);
  (void)system.run(schedule_of(made.best.what_happened));
  CHECK(drawn(system, {1, 4}) == 1);
}

TEST_CASE("two faults stay if it takes both") {
  toy system{busy(2, 6), {}, {{0, 1}, {0, 3}, {1, 2}, {1, 4}}};
  system.fails = [&](const toy_order&) {
    return drawn(system, {0, 3}) != 0 && drawn(system, {1, 2}) != 0;
  };
  auto from = tests::restless(12, 2);
  for (std::uint32_t step = 1; step <= 12; ++step) from.draws.push_back({step, 0, 2});
  const auto made = shrunk(system, from);
  CHECK(made.after.preemptions == 0);
  CHECK(made.after.faults == 2);
}

TEST_CASE("a fault is taken for a preemption, if one of the two will do") {
  toy system{busy(2, 6), {}, {{0, 1}, {1, 2}}};
  system.fails = [&](const toy_order& order) {
    return drawn(system, {1, 2}) == 1 || between(order, {0, 2}, {1, 2}, {0, 3});
  };
  schedule from{.picks = {{3, task_id{1}}, {6, task_id{0}}}, .draws = {{2, 0, 1}}};
  const auto made = shrunk(system, from);
  CHECK(made.before.preemptions > 0);
  CHECK(made.after.preemptions == 0);
  CHECK(made.after.faults == 1);
}

TEST_CASE("many preemptions that all matter are left, though no search gets that far") {
  toy system{busy(3, 12), [](const toy_order& order) {
               return between(order, {0, 2}, {1, 2}, {0, 3}) &&
                      between(order, {1, 2}, {0, 3}, {1, 3}) &&
                      between(order, {0, 3}, {1, 3}, {0, 4});
             }};
  const auto made = shrunk(system, tests::restless(30, 3));
  CHECK(made.before.preemptions > 20);
  CHECK(made.after.preemptions == 3);
  CHECK_FALSE(made.complete);
}

TEST_CASE("what comes after a failure is cut off with few executions") {
  toy system{busy(2, 300), [](const toy_order& order) {
               return between(order, {0, 1}, {1, 1}, {0, 2});
             }};
  const auto made = shrunk(system, tests::restless(600, 2), 30);
  CHECK(made.before.preemptions > 500);
  CHECK(made.after.preemptions <= 4);
}

TEST_CASE("draws that do not matter are gone with the first few executions") {
  toy system{busy(2, 100), [](const toy_order& order) {
               return between(order, {0, 60}, {1, 60}, {0, 61});
             }};
  for (unsigned step = 0; step < 100; ++step) system.draws.push_back({0, step});
  auto from = tests::restless(200, 2);
  for (std::uint32_t step = 1; step <= 200; ++step) from.draws.push_back({step, 0, 1});
  const auto made = shrunk(system, from, 12);
  CHECK(made.before.faults == 100);
  CHECK(made.after.faults == 0);
}

TEST_CASE("no execution begins once all together have had the budget's steps") {
  for (const std::uint64_t steps : {0U, 1U, 36U, 360U, 1'000U}) {
    toy system{busy(3, 12), [](const toy_order& order) {
                 return between(order, {0, 4}, {1, 4}, {0, 5});
               }};
    auto first = system.run(tests::restless(30, 3));
    system.executions = 0;
    const auto made =
        shrink::shrink(std::move(first), system.runner(), {.executions = 500, .steps = steps}, "0");
    CAPTURE(steps);
    CHECK(made.steps == 36 * made.executions);
    CHECK(made.executions == system.executions);
    CHECK(made.executions <= (steps + 35) / 36);
    CHECK(made.best.fails);
    CHECK((made.executions > 0) == (steps > 0));
  }
}

TEST_CASE("no more executions are made than the budget has") {
  for (const std::uint64_t executions : {0U, 1U, 7U, 50U}) {
    toy system{busy(3, 12), [](const toy_order& order) {
                 return between(order, {0, 4}, {1, 4}, {0, 5});
               }};
    const auto made = shrunk(system, tests::restless(30, 3), executions);
    CHECK(system.executions <= executions);
    CHECK(made.executions == system.executions);
    CHECK(made.best.fails);
    CHECK(made.after <= made.before);
  }
}

TEST_CASE("shrinking twice comes to the same") {
  const auto once = [] {
    toy system{busy(3, 9), [](const toy_order& order) {
                 return between(order, {2, 4}, {1, 5}, {2, 5});
               }};
    const auto made = shrunk(system, tests::restless(24, 3), 120);
    return std::pair(schedule_of(made.best.what_happened), made.executions);
  };
  CHECK(once() == once());
}

TEST_CASE("when time is out nothing more is run") {
  toy system{busy(2, 10), [](const toy_order& order) {
               return between(order, {0, 4}, {1, 4}, {0, 5});
             }};
  auto first = system.run(tests::restless(14, 2));
  system.executions = 0;
  const auto made = shrink::shrink(std::move(first), system.runner(),
                                   {.executions = 500, .out_of_time = [] { return true; }});
  CHECK(system.executions == 0);
  CHECK_FALSE(made.complete);
  CHECK(made.after == made.before);
}

TEST_CASE("fewer preemptions count more than fewer faults, and these more than fewer steps") {
  using shrink::cost;
  CHECK(cost{.preemptions = 1, .faults = 9, .steps = 9} < cost{.preemptions = 2});
  CHECK(cost{.faults = 1, .steps = 9} < cost{.faults = 2});
  CHECK(cost{.steps = 1, .others = 9} < cost{.steps = 2});
}

TEST_CASE("a preemption is tried only before what two tasks use, and a forced switch anywhere") {
  // Task 0: thing 1 alone, then the common thing 0 twice. Task 1: thing 0.
  toy system{{{1, 0, 0}, {0}, {2}}, [](const toy_order&) { return false; }};
  const auto usual = system.run({});
  std::vector<std::pair<std::uint32_t, bool>> tried;
  for (const auto& d : shrink::disturbances_of(usual.what_happened, "0", false))
    tried.emplace_back(d.made.picks.back().step, d.preempts);
  const std::vector<std::pair<std::uint32_t, bool>> expected{
      {0, false}, {0, false}, {1, true}, {1, true}, {2, true}, {2, true}, {3, false}};
  CHECK(tried == expected);
}

TEST_CASE("a draw may be disturbed if draws are asked for") {
  toy system{busy(1, 3), [](const toy_order&) { return false; }, {{0, 1}}};
  const auto usual = system.run({});
  CHECK(shrink::disturbances_of(usual.what_happened, "0", false).empty());
  const auto all = shrink::disturbances_of(usual.what_happened, "0", true);
  REQUIRE(all.size() == 2);
  CHECK(all[0].is_draw);
  CHECK(all[0].made.draws == std::vector<scheduled_draw>{{2, 0, 1}});
  CHECK(all[1].made.draws == std::vector<scheduled_draw>{{2, 0, 2}});
}

}  // namespace
