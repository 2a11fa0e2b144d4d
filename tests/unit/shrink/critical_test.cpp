#include "framework/shrink/critical.hpp"

#include "tests/catch.hpp"
#include "tests/unit/shrink/toy.hpp"

namespace {

using namespace forkloom;
using tests::at;
using tests::toy;
using tests::toy_order;

TEST_CASE("the critical transition is the first step after which all continuations fail") {
  // Certain as soon as task 1 has made its step 2 before task 0 its step 5.
  toy system{{std::vector<unsigned>(8, 0), std::vector<unsigned>(8, 0)},
             [](const toy_order& order) {
               return at(order, {1, 2}) < at(order, {0, 5});
             }};
  const schedule what{.picks = {{4, task_id{1}}}, .draws = {}};
  const auto failing = system.run(what);
  REQUIRE(failing.fails);
  system.executions = 0;
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 7);  // four of task 0, three of task 1
  CHECK(found->continuations == 20);
  CHECK(found->executions == system.executions);
}

TEST_CASE("a failure that cannot be avoided is certain from the start") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 0);
}

TEST_CASE("a failure that the last step decides is certain at the end") {
  toy system{{{0, 0, 0}, {0, 0, 0}},
             [](const toy_order& order) { return order.back().first == 0 && order[4].first == 1; }};
  const auto failing = system.run({.picks = {{2, task_id{1}}}, .draws = {}});
  REQUIRE(failing.fails);
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step >= 4);
}

TEST_CASE("a failure that a draw decides is certain after the step that draws") {
  toy system{{std::vector<unsigned>(6, 0), std::vector<unsigned>(6, 0)}, {}, {{0, 2}}};
  system.fails = [&](const toy_order&) { return system.last_values.at({0, 2}) == 2; };
  const auto failing = system.run({.picks = {}, .draws = {{3, 0, 2}}});
  REQUIRE(failing.fails);
  const auto found =
      shrink::find_critical(failing.what_happened, system.runner(), {.executions = 1'000}, 7);
  REQUIRE(found);
  CHECK(found->step == 3);
}

TEST_CASE("no claim is made once the budget's steps are used up") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  system.executions = 0;
  CHECK_FALSE(shrink::find_critical(failing.what_happened, system.runner(),
                                    {.executions = 1'000, .steps = 41}, 7));
  CHECK(system.executions == 11);  // four steps each
}

TEST_CASE("without enough executions nothing is claimed") {
  toy system{{{0, 0}, {0, 0}}, [](const toy_order&) { return true; }};
  const auto failing = system.run({});
  system.executions = 0;
  CHECK_FALSE(shrink::find_critical(failing.what_happened, system.runner(), {.executions = 15}, 7));
  CHECK(system.executions == 15);
}

}  // namespace
