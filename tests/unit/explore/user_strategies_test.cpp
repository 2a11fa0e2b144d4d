#include "framework/explore/user_strategies.hpp"

#include "forkloom/error.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::explore;

struct always_first {
  always_first() = default;
  explicit always_first(std::uint32_t) noexcept {}
  void begin(std::uint64_t) noexcept {}
  unsigned pick(const strategy_choice& c) noexcept { return c.enabled(0); }
};
FORKLOOM_STRATEGY(always_first, "the task with the lowest number")

struct never_second {
  void begin(std::uint64_t) noexcept {}
  unsigned pick(const strategy_choice& c) noexcept { return c.enabled(0); }
};
const bool registered = register_strategy<never_second>("a_second_one", "another name");

TEST_CASE("a registered strategy is known by its name") {
  REQUIRE(registered);
  REQUIRE(find_user_strategy("always_first") != nullptr);
  CHECK(find_user_strategy("always_first")->what_it_is == "the task with the lowest number");
  CHECK(find_user_strategy("never_second") == nullptr);
  REQUIRE(user_strategies().size() == 2);
  CHECK(user_strategies()[0].name == "a_second_one");
}

TEST_CASE("the text of a strategy of the user's is read and written like any other") {
  for (const auto* text : {"always_first", "always_first:3", "always_first:0", "a_second_one"})
    CHECK(to_string(parse_strategy(text)) == text);
}

TEST_CASE("a parameter that a strategy does not take is refused") {
  CHECK_THROWS_AS(parse_strategy("a_second_one:3"), usage_error);
  CHECK_THROWS_AS(parse_strategy("always_first:"), usage_error);
  CHECK_THROWS_AS(parse_strategy("always_first:x"), usage_error);
  CHECK_THROWS_AS(parse_strategy("always_first:1:2"), usage_error);
}

TEST_CASE("names that are taken, or that a token cannot carry, are no names") {
  CHECK(why_no_name("another").empty());
  for (const auto* name : {"", "Upper", "with-dash", "9lives", "_x", "pct", "always_first",
                           "a_name_that_is_longer_than_any_name_may_be"})
    CHECK_FALSE(why_no_name(name).empty());
}

TEST_CASE("what campaigns do is no strategy of one execution") {
  for (const auto* text : {"guided", "portfolio", "swarm"}) {
    CHECK(to_string(parse_strategy(text)) == text);
    CHECK_THROWS_AS(make(parse_strategy(text)), usage_error);
    CHECK_THROWS_AS(parse_strategy(std::string(text) + ":1"), usage_error);
  }
}

TEST_CASE("the text of SURW's parameters is read and written") {
  CHECK(to_string(parse_strategy("surw")) == "surw");
  CHECK(to_string(parse_strategy("surw:1f:12x2_7")) == "surw:1f:12x2_7");
  CHECK_THROWS_AS(parse_strategy("surw:3"), usage_error);
}

}  // namespace
