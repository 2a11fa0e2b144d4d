#include "framework/explore/places.hpp"

#include "framework/trace/memory_access.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using forkloom::testing::trace_builder;

// Objects in shared memory, and accesses to them.
struct mapping {
  trace_builder b;
  task_id task = b.task("task");

  resource_id at(std::uint32_t object, std::uint64_t offset,
                 resource_kind kind = resource_kind::memory) {
    const auto made = b.resource("", kind);
    b.raw().resources.back().object = object;
    b.raw().resources.back().offset = offset;
    return made;
  }

  // Loaded as so many bytes.
  resource_id bytes(std::uint32_t object, std::uint64_t offset, std::uint64_t size) {
    const auto made = at(object, offset);
    load(made, size);
    return made;
  }
  void load(resource_id what, std::uint64_t size) {
    b.does(task, operation::load, what,
           {.result = number_of({.how = memory_access::sort::plain, .size = size})});
  }

  [[nodiscard]] bool meet(resource_id one, resource_id other) const {
    const explore::places all(b.done());
    return all.of(one) == all.of(other);
  }
};

TEST_CASE("objects whose bytes overlap are one place, those side by side are not") {
  mapping m;
  const auto first = m.bytes(1, 0, 8);
  const auto upper_half = m.bytes(1, 4, 4);
  const auto next = m.bytes(1, 8, 4);
  CHECK(m.meet(first, upper_half));
  CHECK_FALSE(m.meet(first, next));
}

TEST_CASE("bytes of different mappings do not overlap") {
  mapping m;
  const auto far = m.bytes(1, 100, 8);
  const auto near = m.bytes(2, 0, 4);
  const auto next = m.bytes(2, 4, 4);
  const auto same_offset = m.bytes(2, 100, 8);
  CHECK_FALSE(m.meet(near, next));
  CHECK_FALSE(m.meet(far, near));
  CHECK_FALSE(m.meet(far, same_offset));
}

TEST_CASE("two that do not overlap meet in a third that overlaps both") {
  mapping m;
  const auto whole = m.bytes(1, 0, 16);
  const auto second = m.bytes(1, 4, 4);
  const auto last = m.bytes(1, 12, 4);
  CHECK(m.meet(second, last));
  CHECK(m.meet(whole, last));
}

TEST_CASE("the longest access to an object says how large it is") {
  mapping m;
  const auto first = m.bytes(1, 0, 8);
  m.load(first, 1);
  const auto last = m.bytes(1, 7, 1);
  CHECK(m.meet(first, last));
}

TEST_CASE("two objects at one address meet, though no size is known") {
  mapping m;
  const auto mutex = m.at(1, 64, resource_kind::mutex);
  const auto futex = m.at(1, 64, resource_kind::futex);
  CHECK(m.meet(mutex, futex));
}

TEST_CASE("what lies in no shared memory overlaps nothing") {
  mapping m;
  CHECK_FALSE(m.meet(m.at(0, 0, resource_kind::pipe), m.at(0, 0, resource_kind::pipe)));
}

TEST_CASE("all record locks are one place, which nothing else is") {
  mapping m;
  const auto one = m.b.resource("one", resource_kind::record_lock);
  const auto other = m.b.resource("other", resource_kind::record_lock);
  const auto file = m.b.resource("file", resource_kind::file);
  CHECK(m.meet(one, other));
  CHECK_FALSE(m.meet(one, file));
  const explore::places all(m.b.done());
  CHECK(all.life_of(m.task) != all.of(one));
  CHECK(all.life_of(m.task) != all.of(file));
}

}  // namespace
