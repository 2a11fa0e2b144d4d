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

TEST_CASE("up to three operations of a semop pass through its event") {
  const auto all = through_event(some(3));
  REQUIRE(all.end() - all.begin() == 3);
  CHECK_FALSE(all.more());
  for (int i = 0; i < 3; ++i) {
    CHECK(all.begin()[i].number == i);
    CHECK(all.begin()[i].change == -i);
    CHECK(all.begin()[i].undone == (i % 2 == 1));
  }
}

TEST_CASE("of more than three operations an event has two, and says that there are others") {
  const auto all = through_event(some(4));
  CHECK(all.end() - all.begin() == 2);
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

TEST_CASE("what is left in a semaphore, and whether its call waits, stand beside its operations") {
  semaphore_operations takes;
  takes.add({7, -1, true});
  for (const int left : {-1, 0, 1, 32767})
    for (const std::uint64_t limited : {std::uint64_t{0}, limited_semop}) {
      const event e{.before = takes.before(),
                    .after = takes.after() | limited | number_of_left(left) << left_in_set_shift,
                    .op = operation::semop};
      CHECK(leaves_some(e) == (left > 0));
      CHECK(is_limited_semop(e) == (limited != 0));
      const semaphore_operations back(e);
      CHECK((back.end() - back.begin() == 1 && back.begin()->number == 7 && !back.more()));
    }
  CHECK(leaves_some({.after = number_of_left(1), .op = operation::sem_wait}));
  CHECK_FALSE(leaves_some({.after = number_of_left(0), .op = operation::sem_trywait}));
  CHECK_FALSE(leaves_some({.after = 7, .op = operation::sem_post}));
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
