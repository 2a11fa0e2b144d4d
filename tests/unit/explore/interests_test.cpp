#include "framework/explore/interests.hpp"

#include "forkloom/error.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::explore;
using namespace forkloom::testing;

trace two_tellers(int steps_of_one) {
  trace_builder b;
  const auto one = b.task("one");
  const auto other = b.task("other");
  const auto account = b.memory("account");
  const auto own = b.memory("own");
  for (int i = 0; i < steps_of_one; ++i) b.load(one, account, 0);
  b.load(other, account, 0);
  b.load(other, own, 0);
  return b.done();
}

TEST_CASE("interesting may be everything, and what two tasks touch") {
  interest_book book;
  book.add(two_tellers(3));
  REQUIRE(book.all().size() == 2);
  CHECK(book.all()[0].about == strategy::surw::everything);
  CHECK(book.all()[0].steps[0] == 3);
  CHECK(book.all()[0].steps[1] == 2);
  CHECK(book.all()[1].steps[0] == 3);
  CHECK(book.all()[1].steps[1] == 1);
}

TEST_CASE("the most steps of several executions count") {
  interest_book book;
  book.add(two_tellers(3));
  book.add(two_tellers(5));
  book.add(two_tellers(4));
  REQUIRE(book.all().size() == 2);
  CHECK(book.all()[1].steps[0] == 5);
  CHECK(book.all()[1].steps[1] == 1);
}

TEST_CASE("tasks beyond those that are counted have the steps of the busiest") {
  trace_builder b;
  const auto x = b.memory("x");
  for (int i = 0; i < 100; ++i) b.task("task " + std::to_string(i));
  for (unsigned i = 60; i < 100; ++i)
    for (unsigned n = 0; n < i; ++n) b.load(task_id(i), x, 0);
  interest_book book;
  book.add(b.done());
  REQUIRE(book.all().size() == 2);
  CHECK(book.all()[1].steps[62] == 62);
  CHECK(book.all()[1].steps[63] == 99);
}

TEST_CASE("an interest is written with each run of equal counts once") {
  interest what{.about = 0x1f};
  what.steps.fill(7);
  CHECK(to_text(what) == "1f:7");
  what.steps[0] = what.steps[1] = 12;
  CHECK(to_text(what) == "1f:12x2_7");
  what.steps.back() = 9;
  CHECK(to_text(what) == "1f:12x2_7x61_9");
}

TEST_CASE("what was written is read again") {
  interest what{.about = 0xdeadbeef};
  for (std::size_t i = 0; i < what.steps.size(); ++i)
    what.steps.at(i) = static_cast<std::uint16_t>(60'000 + i / 3);
  CHECK(interest_from_text(to_text(what)) == what);
  CHECK(interest_from_text("0:0") == interest{});
}

TEST_CASE("an interest that is not like that is refused") {
  for (const auto* text : {"", "0", "0:", "x:1", "0:1_", "0:1x", "0:1x0", "0:1x65", "0:1x64_2",
                           "0:70000", "0:1 ", "100000000:1", "0:1x18446744073709551617"})
    CHECK_THROWS_AS(interest_from_text(text), usage_error);
}

}  // namespace
