#include "framework/shrink/blocks.hpp"

#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using shrink::block;

constexpr task_id a{0};
constexpr task_id b{1};

trace of(std::vector<task_id> picks) {
  trace t;
  t.schedule = std::move(picks);
  t.pick_kinds.assign(t.schedule.size(), pick_kind::usual);
  return t;
}

std::vector<std::pair<task_id, std::size_t>> lengths(const std::vector<block>& blocks) {
  std::vector<std::pair<task_id, std::size_t>> made;
  for (const auto& one : blocks) made.emplace_back(one.task, one.steps.size());
  return made;
}

TEST_CASE("an execution has a block for each stretch of one task") {
  using expected = std::vector<std::pair<task_id, std::size_t>>;
  CHECK(lengths(shrink::blocks_of(of({a, a, b, a}))) == expected{{a, 2}, {b, 1}, {a, 1}});
  CHECK(shrink::blocks_of({}).empty());
}

TEST_CASE("blocks become a schedule with an entry for each beginning") {
  CHECK(shrink::schedule_of(shrink::blocks_of(of({a, a, b, a}))) ==
        schedule{.picks = {{0, a}, {2, b}, {3, a}}, .draws = {}});
}

TEST_CASE("a pick that was not usual keeps its entry within a block") {
  auto t = of({a, a, a});
  t.pick_kinds[2] = pick_kind::other;
  CHECK(shrink::schedule_of(shrink::blocks_of(t)).picks ==
        std::vector<scheduled_pick>{{0, a}, {2, a}});
}

TEST_CASE("a delayed block becomes the beginning of the next one of its task") {
  using expected = std::vector<std::pair<task_id, std::size_t>>;
  const auto all = shrink::blocks_of(of({a, a, b, a, b, b}));
  CHECK(lengths(shrink::delayed(all, 0, 1)) == expected{{b, 1}, {a, 3}, {b, 2}});
  CHECK(lengths(shrink::delayed(all, 0, 2)) == expected{{a, 3}, {b, 3}});
  CHECK(lengths(shrink::delayed(all, 3, 1)) == expected{{a, 2}, {b, 1}, {a, 1}});
  CHECK(lengths(shrink::delayed(all, 2, 9)) == expected{{a, 2}, {b, 1}});
}

TEST_CASE("several delayed blocks of one task keep their order") {
  auto t = of({a, b, a, b, a});
  t.draws = {{.step = 1, .nth = 0, .value = 1, .bound = 3},
             {.step = 3, .nth = 0, .value = 2, .bound = 3}};
  // Task b's two steps, and then the three of a, of which the first draws 1 and the second 2.
  CHECK(shrink::schedule_of(shrink::delayed(shrink::blocks_of(t), 0, 3)).draws ==
        std::vector<scheduled_draw>{{3, 0, 1}, {4, 0, 2}});
}

TEST_CASE("an advanced block becomes the end of the last one of its task") {
  using expected = std::vector<std::pair<task_id, std::size_t>>;
  const auto all = shrink::blocks_of(of({a, b, b, a}));
  CHECK(lengths(shrink::advanced(all, 2)) == expected{{a, 2}, {b, 2}});
  CHECK(shrink::advanced(all, 1).empty());
}

TEST_CASE("draws go where the step goes in which they were made") {
  auto t = of({a, b, a});
  t.draws = {{.step = 1, .nth = 0, .value = 0, .bound = 2},
             {.step = 1, .nth = 1, .value = 2, .bound = 3}};
  const auto all = shrink::blocks_of(t);
  CHECK(shrink::schedule_of(all).draws == std::vector<scheduled_draw>{{1, 1, 2}});
  CHECK(shrink::schedule_of(shrink::delayed(all, 0, 1)).draws ==
        std::vector<scheduled_draw>{{2, 1, 2}});
}

}  // namespace
