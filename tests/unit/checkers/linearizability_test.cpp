// Histories with a known answer: each that is wrong beside its twin that is not.
#include "tests/catch.hpp"
#include "tests/unit/checkers/histories.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::checkers;
using forkloom::testing::history_builder;

answer search(known_object object, const history_builder& b,
              consistency wanted = consistency::linearizable) {
  return judge(b.done(), *model_of(object), wanted).consistent;
}

// The fast way where there is one must say the same.
bool linearizable(known_object object, const history_builder& b) {
  const auto found = search(object, b);
  REQUIRE(found != answer::unknown);
  if (const auto fast = judge_distinct(object, b.done())) CHECK(*fast == (found == answer::yes));
  return found == answer::yes;
}

}  // namespace

TEST_CASE("an empty history is linearizable", "[linearizability]") {
  for (const auto object : {known_object::cell, known_object::set, known_object::queue,
                            known_object::stack, known_object::priority_queue})
    CHECK(linearizable(object, {}));
}

TEST_CASE("a read that returns an overwritten value is found, unless it overlaps the write",
          "[linearizability]") {
  history_builder stale;
  stale.does(0, calls::write, 7, 0);
  stale.does(1, calls::read, 0, 0);
  CHECK_FALSE(linearizable(known_object::cell, stale));
  history_builder overlapping;
  const auto write = overlapping.begin(0, calls::write, 7);
  overlapping.does(1, calls::read, 0, 0);
  overlapping.end(write);
  CHECK(linearizable(known_object::cell, overlapping));
}

TEST_CASE("what comes out before it goes in is found, unless the two overlap",
          "[linearizability]") {
  for (const bool overlap : {false, true}) {
    history_builder cell;
    const auto read = cell.begin(0, calls::read);
    if (!overlap) cell.end(read, 7);
    cell.does(1, calls::write, 7, 0);
    if (overlap) cell.end(read, 7);
    CHECK(linearizable(known_object::cell, cell) == overlap);
    for (const auto object :
         {known_object::queue, known_object::stack, known_object::priority_queue}) {
      history_builder b;
      const auto removal = b.begin(0, calls::remove);
      if (!overlap) b.end(removal, 7);
      b.does(1, calls::insert, 7, 0);
      if (overlap) b.end(removal, 7);
      CHECK(linearizable(object, b) == overlap);
    }
  }
}

TEST_CASE("a value goes no earlier than it comes, while a greater one is in", "[linearizability]") {
  for (const std::int64_t other : {9, 1}) {
    history_builder b;
    const auto removal = b.begin(0, calls::remove);
    b.does(1, calls::insert, other, 0);
    b.does(2, calls::insert, 5, 0);
    b.end(removal, 5);
    b.does(1, calls::remove, 0, other);
    CHECK(linearizable(known_object::priority_queue, b) == (other == 1));
  }
}

TEST_CASE("a register whose values are not distinct has no fast way", "[linearizability]") {
  history_builder b;
  b.does(0, calls::write, 7, 0);
  b.does(1, calls::write, 8, 0);
  b.does(0, calls::write, 7, 0);
  b.does(1, calls::read, 0, 7);
  CHECK_FALSE(judge_distinct(known_object::cell, b.done()).has_value());
  CHECK(linearizable(known_object::cell, b));
}

TEST_CASE("two reads that see a write come and go are found", "[linearizability]") {
  const auto reads = [](std::int64_t first, std::int64_t second) {
    history_builder b;
    const auto write = b.begin(0, calls::write, 7);
    b.does(1, calls::read, 0, first);
    b.does(2, calls::read, 0, second);
    b.end(write);
    return b;
  };
  CHECK_FALSE(linearizable(known_object::cell, reads(7, 0)));
  CHECK(linearizable(known_object::cell, reads(0, 7)));
}

TEST_CASE("a value that nobody wrote is found", "[linearizability]") {
  history_builder b;
  b.does(0, calls::read, 0, 5);
  CHECK_FALSE(linearizable(known_object::cell, b));
}

TEST_CASE("a queue whose values overtake each other is found", "[linearizability]") {
  const auto removed_first = [](std::int64_t value) {
    history_builder b;
    b.does(0, calls::insert, 1, 0);
    b.does(1, calls::insert, 2, 0);
    b.does(2, calls::remove, 0, value);
    return b;
  };
  CHECK_FALSE(linearizable(known_object::queue, removed_first(2)));
  CHECK(linearizable(known_object::queue, removed_first(1)));
  CHECK_FALSE(linearizable(known_object::stack, removed_first(1)));
  CHECK(linearizable(known_object::stack, removed_first(2)));
  CHECK_FALSE(linearizable(known_object::priority_queue, removed_first(1)));
  CHECK(linearizable(known_object::priority_queue, removed_first(2)));
}

TEST_CASE("a value that two processes remove is found", "[linearizability]") {
  for (const auto object :
       {known_object::queue, known_object::stack, known_object::priority_queue}) {
    const auto second_removes = [](std::int64_t value) {
      history_builder b;
      b.does(0, calls::insert, 1, 0);
      const auto one = b.begin(1, calls::remove);
      const auto other = b.begin(2, calls::remove);
      b.end(one, 1);
      b.end(other, value);
      return b;
    };
    CHECK_FALSE(linearizable(object, second_removes(1)));
    CHECK(linearizable(object, second_removes(nothing)));
  }
}

TEST_CASE("whoever finds a collection empty while something must be in it is found",
          "[linearizability]") {
  for (const auto object :
       {known_object::queue, known_object::stack, known_object::priority_queue}) {
    // 1 is in until 2 is in: there is a moment between them only if the removal of 1 overlaps.
    const auto looks = [](bool early) {
      history_builder b;
      b.does(0, calls::insert, 1, 0);
      const auto empty = b.begin(1, calls::remove);
      std::size_t first = 0;
      if (early) first = b.begin(2, calls::remove);
      b.does(0, calls::insert, 2, 0);
      if (!early) first = b.begin(2, calls::remove);
      b.end(empty, nothing);
      b.end(first, 1);
      return b;
    };
    CHECK_FALSE(linearizable(object, looks(false)));
    CHECK(linearizable(object, looks(true)));
  }
}

TEST_CASE("a set that loses a value, or keeps one, is found", "[linearizability]") {
  const auto look_after = [](bool removed, std::int64_t seen) {
    history_builder b;
    b.does(0, calls::insert, 3, 1);
    if (removed) b.does(1, calls::remove, 3, 1);
    b.does(0, calls::look, 3, seen);
    return b;
  };
  CHECK_FALSE(linearizable(known_object::set, look_after(false, 0)));
  CHECK(linearizable(known_object::set, look_after(false, 1)));
  CHECK_FALSE(linearizable(known_object::set, look_after(true, 1)));
  CHECK(linearizable(known_object::set, look_after(true, 0)));
}

TEST_CASE("a pending call may have taken effect, or may not, but not both", "[linearizability]") {
  const auto killed_writer = [](std::int64_t first, std::int64_t second) {
    history_builder b;
    b.begin(0, calls::write, 7);  // killed in it
    b.does(1, calls::read, 0, first);
    b.does(1, calls::read, 0, second);
    return b;
  };
  CHECK(linearizable(known_object::cell, killed_writer(0, 0)));
  CHECK(linearizable(known_object::cell, killed_writer(0, 7)));
  CHECK(linearizable(known_object::cell, killed_writer(7, 7)));
  CHECK_FALSE(linearizable(known_object::cell, killed_writer(7, 0)));
}

TEST_CASE("a removal that is pending may have taken any value", "[linearizability]") {
  const auto after_kill = [](std::int64_t left) {
    history_builder b;
    b.does(0, calls::insert, 1, 0);
    b.does(0, calls::insert, 2, 0);
    b.begin(1, calls::remove);
    b.does(2, calls::remove, 0, left);
    return b;
  };
  CHECK(linearizable(known_object::queue, after_kill(1)));
  CHECK(linearizable(known_object::queue, after_kill(2)));
  CHECK_FALSE(linearizable(known_object::queue, after_kill(nothing)));
}

TEST_CASE("sequential consistency lets a process lag behind, but not go back",
          "[linearizability]") {
  history_builder stale;
  stale.does(0, calls::write, 7, 0);
  stale.does(1, calls::read, 0, 0);
  CHECK(search(known_object::cell, stale, consistency::sequential) == answer::yes);
  history_builder back;
  back.does(0, calls::write, 7, 0);
  back.does(1, calls::read, 0, 7);
  back.does(1, calls::read, 0, 0);
  CHECK(search(known_object::cell, back, consistency::sequential) == answer::no);
}

TEST_CASE("quiescent consistency forgets the order of a process, but not a moment of rest",
          "[linearizability]") {
  const auto swapped = [](bool rest) {
    history_builder b;
    const auto other = b.begin(1, calls::read);
    if (rest) b.end(other, 0);
    b.does(0, calls::write, 7, 0);
    b.does(0, calls::read, 0, 0);  // its own write is not seen
    if (!rest) b.end(other, 0);
    return b;
  };
  CHECK(search(known_object::cell, swapped(false), consistency::quiescent) == answer::yes);
  CHECK(search(known_object::cell, swapped(true), consistency::quiescent) == answer::no);
  CHECK(search(known_object::cell, swapped(false), consistency::sequential) == answer::no);
}

TEST_CASE("keys are objects of their own", "[linearizability]") {
  const auto reads = [](std::uint64_t key) {
    history_builder b;
    b.does(0, calls::write, 7, 0, 1);
    b.does(1, calls::read, 0, 0, key);
    return b;
  };
  CHECK(search(known_object::cell, reads(2)) == answer::yes);
  CHECK(search(known_object::cell, reads(1)) == answer::no);
  CHECK(judge_known(known_object::cell, reads(2).done()).consistent == answer::yes);
  CHECK(judge_known(known_object::cell, reads(1).done()).consistent == answer::no);
}

TEST_CASE("beyond a limit the answer is unknown, and says which limit it was",
          "[linearizability]") {
  history_builder b;
  std::vector<std::size_t> open;
  for (unsigned i = 0; i < 12; ++i) open.push_back(b.begin(i, calls::insert, i));
  for (const auto call : open) b.end(call);
  b.does(0, calls::remove, 0, 99);
  const auto few = judge(b.done(), *model_of(known_object::queue), consistency::linearizable,
                         {.configurations_max = 1000});
  CHECK(few.consistent == answer::unknown);
  CHECK_THAT(few.why, Catch::Contains("1000 configurations"));
  const auto short_one =
      judge(b.done(), *model_of(known_object::queue), consistency::linearizable, {.calls_max = 12});
  CHECK(short_one.consistent == answer::unknown);
  CHECK_THAT(short_one.why, Catch::Contains("13 calls, 12 are the limit"));
  CHECK(first_unexplained(b.done(), *model_of(known_object::queue), {.configurations_max = 1000}) ==
        std::nullopt);
}

TEST_CASE("a history that cannot be is refused", "[linearizability]") {
  const auto model = model_of(known_object::cell);
  history backwards{{{.invoked = 5, .returned = 4, .operation = calls::read}}};
  CHECK_THROWS_WITH(judge(backwards, *model), Catch::Contains("returns before it is invoked"));
  history same{{{.process = 0, .invoked = 1, .returned = 2, .operation = calls::read},
                {.process = 1, .invoked = 2, .returned = 3, .operation = calls::read}}};
  CHECK_THROWS_WITH(judge(same, *model), Catch::Contains("position that another call has"));
  history overlap{{{.process = 0, .invoked = 1, .returned = 3, .operation = calls::read},
                   {.process = 0, .invoked = 2, .returned = 4, .operation = calls::read}}};
  CHECK_THROWS_WITH(judge(overlap, *model), Catch::Contains("before its process has returned"));
  history after_pending{{{.process = 0, .invoked = 1, .pending = true, .operation = calls::read},
                         {.process = 0, .invoked = 2, .returned = 3, .operation = calls::read}}};
  CHECK_THROWS_WITH(judge(after_pending, *model),
                    Catch::Contains("before its process has returned"));
}

TEST_CASE("the call that cannot be explained is named", "[linearizability]") {
  history_builder b;
  b.does(0, calls::write, 7, 0);
  const auto wrong = b.does(1, calls::read, 0, 0);
  b.does(1, calls::read, 0, 7);
  CHECK(first_unexplained(b.done(), *model_of(known_object::cell)) == wrong);
}
