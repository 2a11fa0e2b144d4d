#include "framework/trace/semaphore_operations.hpp"

#include "tests/catch.hpp"

namespace {

using namespace forkloom;

// As they come out of an event that they were put into.
semaphore_operations through_event(const semaphore_operations& all) {
  return semaphore_operations(event{.before = all.before(), .after = all.after()});
}

semaphore_operations some(int count) {
  semaphore_operations all;
  for (int i = 0; i < count; ++i)
    all.add({static_cast<std::uint16_t>(i), static_cast<std::int16_t>(-i), i % 2 == 1});
  return all;
}

TEST_CASE("up to four operations of a semop pass through its event") {
  const auto all = through_event(some(4));
  REQUIRE(all.end() - all.begin() == 4);
  CHECK_FALSE(all.more());
  for (int i = 0; i < 4; ++i) {
    CHECK(all.begin()[i].number == i);
    CHECK(all.begin()[i].change == -i);
    CHECK(all.begin()[i].undone == (i % 2 == 1));
  }
}

TEST_CASE("of more than four operations an event has three, and says that there are others") {
  const auto all = through_event(some(5));
  CHECK(all.end() - all.begin() == 3);
  CHECK(all.more());
}

TEST_CASE("the greatest numbers and changes pass, and what is beyond them is not guessed") {
  semaphore_operations all;
  all.add({32765, -32768, true});
  all.add({32766, 32767, false});
  const auto back = through_event(all);
  REQUIRE(back.end() - back.begin() == 1);
  CHECK(back.begin()->number == 32765);
  CHECK(back.begin()->change == -32768);
  CHECK(back.begin()->undone);
  CHECK(back.more());
}

TEST_CASE("of operations that are not known anything may hold") {
  const auto takes = [](int change) { return change < 0; };
  CHECK_FALSE(through_event(some(1)).may(takes));
  CHECK(through_event(some(2)).may(takes));
  semaphore_operations unknown;
  unknown.add({40000, 1, false});
  CHECK(through_event(unknown).may(takes));
}

}  // namespace
