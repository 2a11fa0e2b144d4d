#include "framework/explore/bounded_dpor.hpp"

#include <algorithm>
#include <random>

#include "framework/strategy/systematic.hpp"
#include "tests/catch.hpp"
#include "tests/unit/explore/toy.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

std::set<std::string> classes_of(const toy& program, const std::vector<trace>& executions) {
  std::set<std::string> found;
  for (const auto& e : executions) found.insert(class_text(program, e));
  return found;
}

std::size_t preemptions_of(const trace& what) {
  return static_cast<std::size_t>(
      std::count(what.pick_kinds.begin(), what.pick_kinds.end(), pick_kind::preemption));
}

struct counts {
  std::size_t classes = 0;
  std::size_t executions = 0;
};

// Explores it, and checks that exactly those classes are executed that a schedule with so many
// preemptions has, by schedules that have no more.
counts explore_within(const toy& program, std::uint32_t bound) {
  explore::bounded_dpor dpor(bound);
  const auto done = explore_all(program, dpor);
  const auto expected = all_classes_within(program, bound);
  CHECK(dpor.finished());
  CHECK(classes_of(program, done.executions) == expected);
  CHECK(dpor.classes() == expected.size());
  CHECK(done.conclusion.find("departed") == std::string::npos);
  for (const auto& e : done.executions) CHECK(preemptions_of(e) <= bound);
  return {dpor.classes(), done.executions.size()};
}

std::string show(const toy& program) {
  std::string text;
  for (const auto& word : program) text += "\"" + word + "\" ";
  return text;
}

toy random_program(std::mt19937_64& random, std::size_t tasks, std::size_t length,
                   const std::vector<std::string>& operations) {
  toy program(tasks);
  for (auto& word : program)
    for (auto n = random() % (length + 1); n > 0; --n)
      word += operations[random() % operations.size()];
  return program;
}

TEST_CASE("without preemptions two writers of one place have two orders") {
  CHECK(explore_within({"wxwx", "wxwx"}, 0).executions == 2);
  CHECK(explore_within({"wxwx", "wxwx"}, 1).executions == 4);
  CHECK(explore_within({"wxwx", "wxwx"}, 2).executions == 6);
}

TEST_CASE("what touches nothing of others has one execution with any bound") {
  for (const auto bound : {0U, 1U, 2U, 5U})
    CHECK(explore_within({"wawawa", "wbwbwb", "wcwcwc"}, bound).executions == 1);
}

TEST_CASE("of random programs with memory each class within the bound is executed exactly once") {
  std::mt19937_64 random(11);
  for (int i = 0; i < 120; ++i) {
    const auto program = random_program(random, 3, 4, {"rx", "wx", "ry", "wy", "rz", "wz"});
    for (const auto bound : {0U, 1U, 2U, 3U}) {
      INFO(show(program) << bound);
      const auto found = explore_within(program, bound);
      CHECK(found.executions == found.classes);
    }
  }
}

TEST_CASE("of random programs with waits and draws exactly the classes within the bound are seen") {
  std::mt19937_64 random(12);
  std::size_t repeated = 0;
  std::size_t all = 0;
  for (int i = 0; i < 150; ++i) {
    const auto program = random_program(
        random, 3, 4,
        {"rx", "wx", "lm", "um", "lm", "um", "va", "pa", "sq", "gq", "tm", "dx", "ry"});
    for (const auto bound : {0U, 1U, 2U, 3U}) {
      INFO(show(program) << bound);
      const auto found = explore_within(program, bound);
      repeated += found.executions - found.classes;
      all += found.executions;
    }
  }
  // Begun with a step that had to wait, which was not known.
  CHECK(repeated * 8 < all);
}

TEST_CASE("of random programs with memory and mutexes none is begun in vain") {
  std::mt19937_64 random(14);
  for (int i = 0; i < 120; ++i) {
    const auto program = random_program(
        random, 3, 2, {"rx", "wx", "lmum", "lnun", "lmwxum", "lmlnunum", "lnlmumun"});
    for (const auto bound : {0U, 1U, 2U, 3U}) {
      INFO(show(program) << bound);
      const auto found = explore_within(program, bound);
      CHECK(found.executions == found.classes);
    }
  }
}

TEST_CASE("of random programs with condition variables exactly the classes within are seen") {
  std::mt19937_64 random(15);
  for (int i = 0; i < 60; ++i) {
    const auto program = random_program(
        random, 3, 2, {"rx", "wx", "lMzmuM", "lMbmuM", "bm", "lMuM", "lMwxuM", "lx", "ux"});
    for (const auto bound : {0U, 1U, 2U, 3U}) {
      INFO(show(program) << bound);
      explore_within(program, bound);
    }
  }
}

TEST_CASE("of random programs of more tasks exactly the classes within the bound are seen") {
  std::mt19937_64 random(13);
  for (int i = 0; i < 30; ++i) {
    const auto program =
        random_program(random, 4, 3, {"rx", "wx", "lm", "um", "va", "pa", "ry", "wy"});
    for (const auto bound : {0U, 1U, 2U, 3U}) {
      INFO(show(program) << bound);
      explore_within(program, bound);
    }
  }
}

TEST_CASE("a bound on a deadlock's preemptions decides whether it is found") {
  const toy program{"lalbubua", "lblauaub"};
  CHECK(explore_within(program, 0).classes == 2);
  CHECK(explore_within(program, 1).classes == 3);
}

TEST_CASE("classes that need fewer preemptions are executed first") {
  explore::bounded_dpor dpor(3);
  const toy program{"wxwxwx", "wxwxwx"};
  std::vector<std::size_t> needed;
  for (const auto& e : explore_all(program, dpor).executions) {
    std::size_t bound = 0;
    while (
        !all_classes_within(program, static_cast<unsigned>(bound)).contains(class_text(program, e)))
      ++bound;
    needed.push_back(bound);
  }
  CHECK(std::is_sorted(needed.begin(), needed.end()));
  CHECK(needed.back() == 3);
}

TEST_CASE("values of draws need no preemptions") {
  CHECK(explore_within({"dxdy"}, 0).executions == 9);
  CHECK(explore_within({"dx", "dx"}, 0).executions == 18);
}

TEST_CASE("who yields may go on or let others go, and neither is a preemption") {
  explore::bounded_dpor dpor(0);
  const toy program{"way.wa", "wa"};
  const auto done = explore_all(program, dpor);
  CHECK(dpor.classes() == 3);
  for (const auto& e : done.executions) CHECK(preemptions_of(e) == 0);
}

TEST_CASE("a bounded search says whether the bound left something out") {
  explore::bounded_dpor some(1);
  CHECK(explore_all({"wxwx", "wxwx"}, some).conclusion ==
        "all 4 interleavings (happens-before classes) with at most 1 preemption explored, none "
        "violates");
  explore::bounded_dpor all(9);
  CHECK(explore_all({"wxwx", "wxwx"}, all).conclusion ==
        "all 6 interleavings (happens-before classes) explored, none violates; the bound of 9 "
        "preemptions left nothing out");
  explore::bounded_dpor cut(9);
  CHECK(explore_all({"wxwx", "wxwx"}, cut, 3).conclusion ==
        "3 interleavings (happens-before classes) explored, none violates, among them all with at "
        "most 0 preemptions; there are more");
  explore::bounded_dpor single(0);
  CHECK(explore_all({"wa", "wb"}, single).conclusion ==
        "the only interleaving (happens-before class) explored, it does not violate; the bound of "
        "0 preemptions left nothing out");
  explore::bounded_dpor stuck(0);
  CHECK(explore_all({"pa"}, stuck).conclusion ==
        "the only interleaving (happens-before class) explored, it violates; the bound of 0 "
        "preemptions left nothing out");
}

TEST_CASE("a bounded search that is not followed says so, and ends") {
  explore::bounded_dpor dpor(2);
  const toy program{"wx", "wx"};
  REQUIRE(dpor.next(0));
  const explore::attempt first{.strategy = strategy::systematic(strategy::course{})};
  const auto always = run_toy(program, first);
  dpor.learn(always, false);
  std::size_t asked = 0;
  for (; asked < 10 && dpor.next(asked + 1); ++asked) dpor.learn(always, false);
  CHECK(asked < 10);
  CHECK(dpor.conclusion().find("1 execution departed") != std::string::npos);
}

// Deadlines that come by the number of steps: then no two orders are the same.
TEST_CASE("where deadlines come in between, every schedule within the bound is executed") {
  const toy program{"wawa", "wbwb"};
  const auto timed = [](trace t) {
    t.choices.back().expired = only(task_id{5});
    return t;
  };
  explore::bounded_dpor dpor(2);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < 100; ++i) {
    const auto attempt = dpor.next(i);
    if (!attempt) break;
    const auto t = run_toy(program, *attempt);
    seen.insert(schedule_text(t));
    dpor.learn(timed(t), false);
  }
  CHECK(dpor.finished());
  CHECK(seen == all_schedules(program, 2));
}

TEST_CASE("where nothing is known to commute, every schedule within the bound is executed") {
  // Two mutexes: who has the one does not keep the other task from the other.
  const toy program{"lmwa", "lnwb"};
  explore::bounded_dpor dpor(2);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < 100; ++i) {
    const auto attempt = dpor.next(i);
    if (!attempt) break;
    auto t = run_toy(program, *attempt);
    t.passed.push_back({.name = "a call", .stack = {}});
    seen.insert(schedule_text(t));
    dpor.learn(t, false);
  }
  CHECK(dpor.finished());
  CHECK(seen == all_schedules(program, 2));
}

}  // namespace
