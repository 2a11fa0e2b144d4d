#include "framework/trace/schedule.hpp"

#include <rapidcheck.h>

#include <string>
#include <tuple>
#include <vector>

#include "forkloom/error.hpp"
#include "framework/trace/token.hpp"
#include "framework/trace/trace.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;

std::string refusal(const std::string& text) {
  try {
    (void)schedule_from_text(text);
  } catch (const usage_error& error) {
    return error.what();
  }
  return "accepted";
}

// Any schedule: steps that are near each other and far apart, draws with and without a pick.
schedule any_schedule() {
  namespace gen = rc::gen;
  const auto distance =
      gen::oneOf(gen::inRange<std::uint32_t>(1, 4), gen::inRange<std::uint32_t>(1, 4'000));
  const auto places = *gen::container<std::vector<std::tuple<std::uint32_t, int, int>>>(
      gen::tuple(distance, gen::inRange(0, 4), gen::inRange(0, 4)));
  schedule made;
  std::uint32_t step = 0;
  for (const auto& [further, draws, pick] : places) {
    for (int i = 1; i <= draws; ++i)
      made.draws.push_back({step, static_cast<std::uint32_t>(2 * i - pick / 3),
                            pick == 1 ? ~0U : static_cast<std::uint32_t>(i)});
    if (pick != 0) made.picks.push_back({step, task_id(static_cast<std::uint16_t>(pick % 3))});
    step += further;
  }
  return made;
}

}  // namespace

TEST_CASE("a schedule read from its text equals the one that was written", "[schedule]") {
  REQUIRE(rc::check([] {
    const auto made = any_schedule();
    RC_ASSERT(schedule_from_text(to_text(made)) == made);
  }));
}

TEST_CASE("a token carries any schedule", "[schedule]") {
  REQUIRE(rc::check([] {
    const auto text = to_text(any_schedule());
    const auto strategy = text.empty() ? "schedule" : "schedule:" + text;
    const replay_token token{.strategy = strategy, .progress_limit = 1, .step_limit = 1};
    const auto written = encode(token);
    RC_ASSERT(decode(written).strategy == strategy);
    RC_ASSERT(written.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") ==
              std::string::npos);
  }));
}

TEST_CASE("the text of a schedule does not change between versions of the program", "[schedule]") {
  CHECK(to_text({}).empty());
  CHECK(to_text({.picks = {{12, task_id{1}}}, .draws = {}}) == "12p1");
  const schedule all{.picks = {{12, task_id{1}}, {13, task_id{0}}, {14, task_id{0}}},
                     .draws = {{12, 0, 2}, {14, 1, 1}, {20, 0, 5}}};
  CHECK(to_text(all) == "12d2_0p1_1p0_1d1n1_0p0_6d5");
}

TEST_CASE("equal entries at equal distances are written once", "[schedule]") {
  schedule made;
  for (std::uint32_t i = 1; i <= 1'000; ++i) made.picks.push_back({3 * i, task_id{7}});
  CHECK(to_text(made) == "3p7x1000");
  CHECK(schedule_from_text("3p7x1000") == made);
}

TEST_CASE("an entry that is no entry is quoted, with what is wrong", "[schedule]") {
  const auto [text, why] = GENERATE(table<std::string, std::string>(
      {{"x", "schedule entry 'x' needs the distance in steps from 0 to 899999 before 'x'"},
       {"3p1_", "schedule entry '' needs the distance"},
       {"3", "'3' has neither 'p' (pick) nor 'd' (draw) there"},
       {"3q1", "'3q1' has neither 'p' (pick) nor 'd' (draw) there"},
       {"3p", "'3p' needs the task from 0 to 1023 before ''"},
       {"3p1024", "'3p1024' needs the task from 0 to 1023"},
       {"3p1n2", "'3p1n2' ends with 'n2', which means nothing"},
       {"3d0", "'3d0' needs the value of a draw from 1"},
       {"3p1x1", "'3p1x1' needs the count from 2"},
       {"3p1x0", "needs the count from 2"},
       {"900000p1", "needs the distance in steps from 0 to 899999"},
       {"450000p1x2", "'450000p1x2' is beyond the last step, 899999"},
       {"3p1_0p2", "'0p2' comes after the pick of its step"},
       {"3p1_0d2", "'0d2' comes after the pick of its step"},
       {"3d1_0d2", "'0d2' names a draw of its step that is not behind the one before"},
       {"3d1n4_0d2n4", "'0d2n4' names a draw of its step"}}));
  CHECK_THAT(refusal(text), Catch::Contains(why));
}

TEST_CASE("a schedule has what was not usual in a trace, and nothing else", "[schedule]") {
  trace t;
  t.schedule = {task_id{0}, task_id{1}, task_id{2}, task_id{0}};
  t.pick_kinds = {pick_kind::usual, pick_kind::preemption, pick_kind::other, pick_kind::usual};
  t.draws = {{.step = 1, .nth = 0, .value = 0, .bound = 3},
             {.step = 1, .nth = 1, .value = 2, .bound = 3}};
  CHECK(schedule_of(t) ==
        schedule{.picks = {{1, task_id{1}}, {2, task_id{2}}}, .draws = {{1, 1, 2}}});
}
