// The searches and the fast ways against each other, and against trying everything.
#include "tests/catch.hpp"
#include "tests/unit/checkers/histories.hpp"
#include "tests/unit/checkers/property.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::checkers;
using forkloom::testing::explained_by_some_order;
using forkloom::testing::holds;
using forkloom::testing::play;
using forkloom::testing::random_step;

constexpr std::array objects{known_object::cell, known_object::set, known_object::queue,
                             known_object::stack, known_object::priority_queue};

// One result in `lies` is wrong, so that both answers come up often.
rc::Gen<std::vector<random_step>> steps_of(std::size_t count, unsigned lies) {
  const auto drawn = rc::gen::tuple(rc::gen::inRange(0U, 4U), rc::gen::inRange(0U, 6U),
                                    rc::gen::inRange(0U, 100U), rc::gen::inRange(0U, lies));
  return rc::gen::container<std::vector<random_step>>(
      count, rc::gen::map(rc::gen::resize(100, drawn), [](const auto& all) {
        const auto& [process, choice, value, lie] = all;
        return random_step{process, choice, value, lie == 0};
      }));
}

struct tally {
  int yes = 0;
  int no = 0;
  void count(bool which) { ++(which ? yes : no); }
};

answer searched(known_object object, const history& what,
                consistency wanted = consistency::linearizable) {
  return judge(what, *model_of(object), wanted).consistent;
}

}  // namespace

TEST_CASE("the search finds an order if and only if there is one", "[linearizability]") {
  for (const auto object : objects) {
    tally seen;
    CHECK(holds(11, 1500, [&] {
      const auto what = play(object, *steps_of(14, 2), false);
      const bool some = explained_by_some_order(what, *model_of(object));
      seen.count(some);
      RC_ASSERT(searched(object, what) == (some ? answer::yes : answer::no));
    }));
    CHECK(seen.yes > 50);
    CHECK(seen.no > 50);
  }
}

TEST_CASE("the order that the search finds explains every result", "[linearizability]") {
  for (const auto object : objects)
    CHECK(holds(12, 300, [&] {
      const auto what = play(object, *steps_of(60, 1000), false);
      const auto model = model_of(object);
      const auto found = judge(what, *model);
      RC_PRE(found.consistent == answer::yes);
      auto state = model->initial();
      for (const auto i : found.order) {
        const auto after = model->after(state, what.calls[i]);
        RC_ASSERT(after.has_value());
        state = *after;
      }
      for (std::size_t a = 0; a < found.order.size(); ++a)
        for (std::size_t b = a + 1; b < found.order.size(); ++b) {
          const auto& later = what.calls[found.order[b]];
          RC_ASSERT(later.pending || later.returned > what.calls[found.order[a]].invoked);
        }
    }));
}

TEST_CASE("the fast ways and the search give the same answers", "[linearizability]") {
  for (const auto object : objects) {
    tally seen;
    CHECK(holds(13, 4000, [&] {
      const auto what = play(object, *steps_of(60, 12), true);
      const auto fast = judge_distinct(object, what);
      if (!fast) return;
      seen.count(*fast);
      RC_ASSERT(searched(object, what) == (*fast ? answer::yes : answer::no));
    }));
    CHECK(seen.yes > 300);
    CHECK(seen.no > 300);
  }
}

TEST_CASE("whatever is linearizable is sequentially and quiescently consistent",
          "[linearizability]") {
  for (const auto object : objects)
    CHECK(holds(14, 500, [&] {
      const auto what = play(object, *steps_of(24, 10), false);
      if (searched(object, what) != answer::yes) return;
      RC_ASSERT(searched(object, what, consistency::sequential) == answer::yes);
      RC_ASSERT(searched(object, what, consistency::quiescent) == answer::yes);
    }));
}

TEST_CASE("the first call that cannot be explained is the last of the shortest bad prefix",
          "[linearizability]") {
  for (const auto object : objects)
    CHECK(holds(15, 500, [&] {
      const auto what = play(object, *steps_of(30, 6), false);
      const auto model = model_of(object);
      const auto bad = first_unexplained(what, *model);
      RC_ASSERT(bad.has_value() == (judge(what, *model).consistent == answer::no));
      if (!bad) return;
      const auto response = what.calls[*bad].returned;
      auto without = what;  // the same until just before that response
      std::erase_if(without.calls, [&](auto& c) { return c.invoked > response; });
      for (auto& c : without.calls) c.pending = c.pending || c.returned >= response;
      RC_ASSERT(judge(without, *model).consistent == answer::yes);
    }));
}
