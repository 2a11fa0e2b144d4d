#include "framework/explore/suppression.hpp"

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using explore::suppressions;

struct sample {
  trace what;
  violation v{.kind = violation_kind::deadlock, .resource = "account lock", .evidence = {0, 1}};

  sample() {
    what.events = {{.site = 0x10}, {.site = 0x20}, {.site = 0x30}};
    what.sources = {{0x10, "/src/bank/bank.cpp:12"}, {0x20, "till.cpp:7"}, {0x30, "other.cpp:1"}};
  }

  // How many are left of that one violation.
  [[nodiscard]] std::size_t left_by(const std::vector<std::string>& texts) const {
    std::vector<violation> found{v};
    const auto taken = suppressions(texts).take_from(found, what);
    CHECK(taken + found.size() == 1);
    return found.size();
  }
};

TEST_CASE("a violation is suppressed by its kind and its resource") {
  const sample s;
  CHECK(s.left_by({}) == 1);
  CHECK(s.left_by({"deadlock:account lock"}) == 0);
  CHECK(s.left_by({"deadlock:account*"}) == 0);
  CHECK(s.left_by({"*:account*"}) == 0);
  CHECK(s.left_by({"leak:account*"}) == 1);
  CHECK(s.left_by({"deadlock:account"}) == 1);
  CHECK(s.left_by({"leak:account*", "deadlock:*lock"}) == 0);
}

TEST_CASE("a violation is suppressed by any source line of its evidence") {
  const sample s;
  CHECK(s.left_by({"deadlock:bank.cpp:12"}) == 0);
  CHECK(s.left_by({"deadlock:bank.cpp"}) == 0);
  CHECK(s.left_by({"deadlock:/src/bank/*"}) == 0);
  CHECK(s.left_by({"*:till.cpp:?"}) == 0);
  CHECK(s.left_by({"deadlock:bank.cpp:1"}) == 1);
  CHECK(s.left_by({"deadlock:other.cpp"}) == 1);
}

TEST_CASE("as long as no lines are known, they suppress nothing") {
  sample s;
  s.what.sources.clear();
  CHECK(s.left_by({"deadlock:bank.cpp"}) == 1);
}

TEST_CASE("a suppression that cannot be is refused with its text") {
  using texts = std::vector<std::string>;
  CHECK_THROWS_AS(suppressions(texts{"deadlock"}), usage_error);
  CHECK_THROWS_AS(suppressions(texts{"deadlock:"}), usage_error);
  CHECK_THROWS_WITH(suppressions(texts{"dead:x"}),
                    Catch::Contains("\"dead\" is no kind of violation"));
}

}  // namespace
