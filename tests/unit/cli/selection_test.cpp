#include "framework/cli/selection.hpp"

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

using namespace forkloom;

namespace {

const std::vector<scenario_info> all{{.name = "bank", .tags = {"money", "broken"}},
                                     {.name = "bank, fixed", .tags = {"money"}},
                                     {.name = "pipe", .tags = {"broken"}},
                                     {.name = "what is *?", .tags = {}}};

std::vector<std::string> selected(const std::vector<std::string>& patterns) {
  std::vector<const scenario_info*> pointers;
  for (const auto& scenario : all) pointers.push_back(&scenario);
  std::vector<std::string> names;
  for (const auto* scenario : cli::select(pointers, patterns)) names.push_back(scenario->name);
  return names;
}

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("a star is any text, a question mark one byte", "[cli]") {
  CHECK(cli::matches("*", ""));
  CHECK(cli::matches("a*c", "abbbc"));
  CHECK(cli::matches("a*b*c", "a-b-b-c"));
  CHECK(cli::matches("a?c", "abc"));
  CHECK(cli::matches("*abc", "ababc"));
  CHECK(cli::matches("a**", "a"));
  CHECK_FALSE(cli::matches("", "a"));
  CHECK_FALSE(cli::matches("a?c", "ac"));
  CHECK_FALSE(cli::matches("a*c", "abcd"));
  CHECK_FALSE(cli::matches("abc", "ab"));
}

TEST_CASE("many stars do not take for ever", "[cli]") {
  CHECK_FALSE(cli::matches("*a*a*a*a*a*a*a*a*a*a*a*a*b", std::string(5'000, 'a')));
}

TEST_CASE("a name selects that scenario alone", "[cli]") {
  CHECK(selected({"bank"}) == names{"bank"});
}

TEST_CASE("a name that looks like a pattern is a name first", "[cli]") {
  CHECK(selected({"what is *?"}) == names{"what is *?"});
}

TEST_CASE("a pattern selects every scenario that matches", "[cli]") {
  CHECK(selected({"bank*"}) == names{"bank", "bank, fixed"});
}

TEST_CASE("tags select together, and with a tilde they exclude", "[cli]") {
  CHECK(selected({"[broken]"}) == names{"bank", "pipe"});
  CHECK(selected({"[money][broken]"}) == names{"bank"});
  CHECK(selected({"[money]~[broken]"}) == names{"bank, fixed"});
  CHECK(selected({"~[money]"}) == names{"pipe", "what is *?"});
}

TEST_CASE("several patterns select each scenario once, in the scenarios' order", "[cli]") {
  CHECK(selected({"pipe", "[broken]", "bank"}) == names{"bank", "pipe"});
}

TEST_CASE("each pattern must select something", "[cli]") {
  CHECK_THROWS_WITH(selected({"bank", "pip"}),
                    "no scenario is called 'pip'. Did you mean 'pipe'? `forkloom list` shows all.");
  CHECK_THROWS_AS(selected({"[mony]"}), usage_error);
  CHECK_THROWS_WITH(selected({"[mony]"}), Catch::Contains("'[money]'"));
}
