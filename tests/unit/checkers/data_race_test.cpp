#include <array>
#include <functional>

#include "forkloom/violation.hpp"
#include "framework/trace/memory_access.hpp"
#include "framework/trace/semaphore_operations.hpp"
#include "framework/trace/vector_clock.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/property.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using sort = memory_access::sort;
using enum access_order;

// Two tasks, and what instrumented code of theirs does to one mapping.
class stage : public trace_builder {
 public:
  const task_id a = task("writer");
  const task_id b = task("reader");

  // A place in the mapping, which both may see at any address.
  resource_id at(std::uint64_t offset, std::string name = "x", std::uint32_t object = 1) {
    const auto made = memory(std::move(name));
    raw().resources[index(made)].object = object;
    raw().resources[index(made)].offset = offset;
    return made;
  }

  std::size_t plain(task_id who, operation op, resource_id x, std::uint64_t size = 4) {
    return access(who, op, x, {.how = sort::plain, .size = size});
  }
  std::size_t atomic(task_id who, operation op, resource_id x, access_order order,
                     std::uint64_t size = 4) {
    return access(who, op, x, {.how = sort::atomic, .order = order, .size = size});
  }
  std::size_t fence(task_id who, access_order order) {
    return access(who, operation::fence, no_resource, {.how = sort::atomic, .order = order});
  }
  std::size_t access(task_id who, operation op, resource_id x, const memory_access& how) {
    return does(who, op, x, {.result = number_of(how)});
  }

  [[nodiscard]] std::vector<violation> check() { return checkers::check_data_race(done(), {}); }
};

constexpr auto load = operation::load;
constexpr auto store = operation::store;
constexpr auto modify = operation::modify;

TEST_CASE("a plain write and a plain read that nothing orders are a data race") {
  stage s;
  const auto x = s.at(0);
  const auto wrote = s.plain(s.a, store, x);
  const auto read = s.plain(s.b, load, x);
  const auto found = s.check();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::data_race);
  CHECK(found[0].tasks == strings{"writer", "reader"});
  CHECK(found[0].resource == "x");
  CHECK(found[0].evidence == indices{wrote, read});
  CHECK(contains(found[0].message, "writer wrote it at code.cpp:0, reader read it at code.cpp:1"));
  CHECK(tells(found[0], "nothing orders the two: no synchronisation led from writer to reader"));
}

TEST_CASE("it is a race in either order, and so are two writes, but not two reads") {
  for (const auto first : {load, store})
    for (const auto second : {load, store}) {
      stage s;
      const auto x = s.at(0);
      s.plain(s.a, first, x);
      s.plain(s.b, second, x);
      CHECK(s.check().size() == (first == load && second == load ? 0 : 1));
    }
}

TEST_CASE("a task does not race with itself") {
  stage s;
  const auto x = s.at(0);
  s.plain(s.a, store, x);
  s.plain(s.a, load, x);
  s.plain(s.a, store, x);
  CHECK(s.check().empty());
}

TEST_CASE("what shared<T> does is no data race, and orders as it always did") {
  stage s;
  const auto x = s.at(0);
  s.store(s.a, x, 0, 1);
  s.load(s.b, x, 1);
  CHECK(s.check().empty());
  s.plain(s.a, load, x);  // a mark elsewhere changes nothing about them
  s.store(s.b, x, 1, 2);
  CHECK(s.check().empty());
}

TEST_CASE("a mutex orders what is done under it") {
  stage s;
  const auto x = s.at(0);
  const auto m = s.mutex("m");
  s.lock(s.a, m);
  s.plain(s.a, store, x);
  s.unlock(s.a, m);
  s.lock(s.b, m);
  s.plain(s.b, load, x);
  s.unlock(s.b, m);
  CHECK(s.check().empty());
}

TEST_CASE(
    "a write after the unlock is not ordered, and the report says how far the order reaches") {
  stage s;
  const auto x = s.at(0);
  const auto m = s.mutex("till");
  s.lock(s.a, m);
  s.unlock(s.a, m);
  s.plain(s.a, store, x);
  s.lock(s.b, m);
  s.plain(s.b, load, x);
  const auto found = s.check();
  REQUIRE(found.size() == 1);
  CHECK(tells(found[0], "the last that reader comes after is its unlock of till at code.cpp:1"));
  CHECK(tells(found[0], "writer wrote 4 bytes of x at code.cpp:2, holding no lock"));
  CHECK(tells(found[0], "reader read 4 bytes of x at code.cpp:4, holding till"));
}

TEST_CASE("a semaphore that is used as a lock is among what is held") {
  stage s;
  const auto x = s.at(0);
  const auto token = s.resource("token", resource_kind::semaphore);
  const auto set = s.resource("brushes", resource_kind::system_v_semaphore);
  const auto changes = [&](task_id who, std::int16_t by) {
    semaphore_operations all;
    all.add({2, by, false});
    s.does(who, operation::semop, set, {.before = all.before()});
  };
  s.does(s.a, operation::sem_wait, token);
  s.plain(s.a, store, x);
  s.does(s.a, operation::sem_post, token);
  changes(s.b, -1);
  s.plain(s.b, load, x);
  changes(s.b, +1);
  const auto found = s.check();
  REQUIRE(found.size() == 1);
  CHECK(tells(found[0], "writer wrote 4 bytes of x at code.cpp:1, holding token"));
  CHECK(tells(found[0], "read 4 bytes of x at code.cpp:4, holding semaphore 2 of brushes"));
}

TEST_CASE("a semaphore that one posts and another takes for good is held by nobody") {
  stage s;
  const auto x = s.at(0);
  const auto done = s.resource("done", resource_kind::semaphore);
  s.does(s.a, operation::sem_post, done);
  s.plain(s.a, store, x);
  s.does(s.b, operation::sem_wait, done);
  s.plain(s.b, load, x);
  const auto found = s.check();
  REQUIRE(found.size() == 1);
  CHECK(tells(found[0], "reader read 4 bytes of x at code.cpp:3, holding no lock"));
}

TEST_CASE("a fork orders what the parent did, and a wait what the child did") {
  stage s;
  const auto x = s.at(0);
  const auto child = s.task("child", s.a);
  s.plain(s.a, store, x);
  s.forks(s.a, child);
  s.plain(child, store, x);
  s.ends(child);
  s.reaps(s.a, child);
  s.plain(s.a, load, x);
  CHECK(s.check().empty());
}

TEST_CASE("accesses race where their bytes overlap, whatever their first ones are") {
  stage s;
  const auto whole = s.at(0, "whole");
  const auto upper = s.at(4, "upper");
  const auto next = s.at(8, "next");
  const auto elsewhere = s.at(4, "elsewhere", 2);
  s.plain(s.a, store, whole, 8);
  s.plain(s.b, store, next, 4);
  s.plain(s.b, store, elsewhere, 4);
  CHECK(s.check().empty());
  s.plain(s.b, load, upper, 4);
  const auto found = s.check();
  REQUIRE(found.size() == 1);
  CHECK(found[0].resource == "upper");
  CHECK(found[0].evidence == indices{0, 3});
}

TEST_CASE("each byte of a large range remembers who touched it last") {
  stage s;
  const auto range = s.at(100, "range");
  const auto inside = s.at(150, "inside");
  const auto before = s.at(96, "before");
  const auto across = s.at(198, "across");
  s.plain(s.a, store, range, 100);
  s.plain(s.a, store, inside, 8);
  s.plain(s.b, load, before, 4);
  CHECK(s.check().empty());
  s.plain(s.b, store, across, 4);
  REQUIRE(s.check().size() == 1);
  CHECK(s.check()[0].evidence == indices{0, 3});
  s.plain(s.b, load, inside, 1);
  REQUIRE(s.check().size() == 2);
  CHECK(s.check()[1].evidence == indices{1, 4});
}

TEST_CASE("two atomics never race, an atomic and a plain access do") {
  for (const auto order : {relaxed, acquire, release, acq_rel, seq_cst}) {
    stage s;
    const auto x = s.at(0);
    s.atomic(s.a, store, x, order);
    s.atomic(s.b, modify, x, order);
    CHECK(s.check().empty());
    s.plain(s.a, store, x);
    CHECK(s.check().size() == 1);
  }
}

// A letter is written, then announced, then read by whoever saw the announcement.
std::size_t races_of_letter(access_order announced, access_order seen) {
  stage s;
  const auto text = s.at(8, "text");
  const auto flag = s.at(0, "flag");
  s.plain(s.a, store, text);
  s.atomic(s.a, store, flag, announced);
  s.atomic(s.b, load, flag, seen);
  s.plain(s.b, load, text);
  return s.check().size();
}

TEST_CASE("a release store and the acquire load that reads it order; nothing weaker does") {
  CHECK(races_of_letter(release, acquire) == 0);
  CHECK(races_of_letter(release, consume) == 0);
  CHECK(races_of_letter(seq_cst, seq_cst) == 0);
  CHECK(races_of_letter(relaxed, acquire) == 1);
  CHECK(races_of_letter(release, relaxed) == 1);
  CHECK(races_of_letter(relaxed, relaxed) == 1);
}

TEST_CASE("a report names the store and the load that were too weak") {
  stage s;
  const auto text = s.at(8, "text");
  const auto flag = s.at(0, "flag");
  s.plain(s.a, store, text);
  s.atomic(s.a, store, flag, relaxed);
  s.atomic(s.b, load, flag, acquire);
  s.plain(s.b, load, text);
  const auto found = s.check();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{0, 1, 2, 3});
  CHECK(tells(found[0],
              "reader saw in flag at code.cpp:2 (acquire) what writer put there at "
              "code.cpp:1 (relaxed)"));
}

TEST_CASE("what a third one put there is no word of the writer's") {
  stage s;
  const auto third = s.task("third");
  const auto text = s.at(8, "text");
  const auto flag = s.at(0, "flag");
  s.plain(s.a, store, text);
  s.atomic(third, store, flag, relaxed);
  s.atomic(s.b, load, flag, acquire);
  s.plain(s.b, load, text);
  const auto found = s.check();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{0, 3});
  CHECK_FALSE(tells(found[0], "reader saw in flag"));
}

TEST_CASE("an acquire load before the release store orders nothing") {
  stage s;
  const auto text = s.at(8, "text");
  const auto flag = s.at(0, "flag");
  s.plain(s.a, store, text);
  s.atomic(s.b, load, flag, acquire);
  s.atomic(s.a, store, flag, release);
  s.plain(s.b, load, text);
  CHECK(s.check().size() == 1);
}

// The value that is read is not the writer's own any more.
std::size_t races_after(const std::function<void(stage&, task_id, resource_id)>& in_between) {
  stage s;
  const auto third = s.task("third");
  const auto text = s.at(8, "text");
  const auto flag = s.at(0, "flag");
  s.plain(s.a, store, text);
  s.atomic(s.a, store, flag, release);
  in_between(s, third, flag);
  s.atomic(s.b, load, flag, acquire);
  s.plain(s.b, load, text);
  return s.check().size();
}

TEST_CASE("read-modify-writes continue a release sequence, a store ends it") {
  CHECK(races_after([](stage& s, task_id third, resource_id flag) {
          s.atomic(third, modify, flag, relaxed);
        }) == 0);
  CHECK(races_after([](stage& s, task_id third, resource_id flag) {
          s.atomic(third, store, flag, relaxed);
        }) == 1);
  CHECK(races_after([](stage& s, task_id, resource_id flag) {
          s.atomic(s.a, store, flag, relaxed);  // since C++20 the writer's own, too
        }) == 1);
}

TEST_CASE("fences lend their order to relaxed accesses around them") {
  const auto races = [](bool before_store, bool after_load) {
    stage s;
    const auto text = s.at(8, "text");
    const auto flag = s.at(0, "flag");
    s.plain(s.a, store, text);
    if (before_store) s.fence(s.a, release);
    s.atomic(s.a, store, flag, relaxed);
    if (!before_store) s.fence(s.a, release);
    if (!after_load) s.fence(s.b, acquire);
    s.atomic(s.b, load, flag, relaxed);
    if (after_load) s.fence(s.b, acquire);
    s.plain(s.b, load, text);
    return s.check().size();
  };
  CHECK(races(true, true) == 0);
  CHECK(races(false, true) == 1);
  CHECK(races(true, false) == 1);
}

TEST_CASE("a release fence does not publish what comes after it") {
  stage s;
  const auto text = s.at(8, "text");
  const auto flag = s.at(0, "flag");
  s.fence(s.a, release);
  s.plain(s.a, store, text);
  s.atomic(s.a, store, flag, relaxed);
  s.atomic(s.b, load, flag, acquire);
  s.plain(s.b, load, text);
  CHECK(s.check().size() == 1);
}

TEST_CASE("a buffer that the kernel fills is written, one that it sends is read") {
  stage s;
  const auto buffer = s.at(0, "buffer");
  s.access(s.a, store, buffer, {.how = sort::kernel, .size = 64});
  s.plain(s.b, load, buffer);
  REQUIRE(s.check().size() == 1);
  CHECK(contains(s.check()[0].message, "writer had the kernel write it"));
}

TEST_CASE("one place, and one pair of lines, is reported once") {
  stage s;
  const auto x = s.at(0);
  for (int i = 0; i < 5; ++i) {
    s.plain(s.a, store, x);
    s.plain(s.b, store, x);
  }
  CHECK(s.check().size() == 1);

  stage loop;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto element = loop.at(4 * i, "element");
    const auto wrote = loop.plain(loop.a, store, element);
    const auto read = loop.plain(loop.b, load, element);
    loop.raw().events[wrote].site = 1;
    loop.raw().events[read].site = 2;
  }
  CHECK(loop.check().size() == 1);
}

TEST_CASE("a race hides no other one of the same task behind it") {
  stage s;
  const auto x = s.at(0, "x");
  const auto y = s.at(4, "y");
  s.plain(s.a, store, x);
  s.plain(s.a, store, y);
  s.plain(s.b, load, x);
  s.plain(s.b, load, y);
  CHECK(s.check().size() == 2);
}

TEST_CASE("a blocked access and a place that is not known are no accesses") {
  stage s;
  const auto x = s.at(0);
  const auto nowhere = s.memory("nowhere");
  s.blocks(s.a, load, x);
  s.plain(s.a, store, nowhere);
  s.plain(s.b, store, nowhere);
  CHECK(s.check().empty());
}

// Two accesses of different tasks, of which one is a write and one is plain, that share a byte and
// are not ordered: looked for among all pairs.
bool races_by_brute_force(const trace& what) {
  const auto clocks = vector_clocks(what);
  const auto begin = [&](std::size_t i) {
    return what.resources[index(what.events[i].resource)].offset;
  };
  const auto accesses = [&](std::size_t i) {
    return is_marked(what.events[i]) && access_of(what.events[i]).size != 0;
  };
  for (std::size_t i = 0; i < what.events.size(); ++i)
    for (std::size_t k = i + 1; k < what.events.size(); ++k) {
      const auto& a = what.events[i];
      const auto& b = what.events[k];
      if (!accesses(i) || !accesses(k) || a.task == b.task) continue;
      if (a.op == load && b.op == load) continue;
      if (access_of(a).how == sort::atomic && access_of(b).how == sort::atomic) continue;
      if (begin(i) + access_of(a).size <= begin(k) || begin(k) + access_of(b).size <= begin(i))
        continue;
      if (!happens_before(what, clocks, i, k)) return true;
    }
  return false;
}

TEST_CASE("a race is found if and only if there is one, whatever the trace") {
  std::size_t with = 0;
  std::size_t without = 0;
  const auto property = [&] {
    stage s;
    const auto third = s.task("third");
    const std::array tasks{s.a, s.b, third};
    const auto m = s.mutex("m");
    std::array<resource_id, 8> bytes{};
    for (std::uint64_t i = 0; i < bytes.size(); ++i) bytes.at(i) = s.at(i);
    const auto count = *rc::gen::inRange(1, 12);
    for (int i = 0; i < count; ++i) {
      const auto who = tasks.at(*rc::gen::inRange<std::size_t>(0, 3));
      const auto place = bytes.at(*rc::gen::inRange<std::size_t>(0, 8));
      const auto size = *rc::gen::element<std::uint64_t>(1, 2, 4);
      const auto op = *rc::gen::element(load, load, store, modify);
      switch (*rc::gen::inRange(0, 5)) {
        case 0:
          s.lock(who, m);
          break;
        case 1:
          s.unlock(who, m);
          break;
        case 2:
          s.plain(who, op, place, size);
          break;
        default:
          s.atomic(who, op, place, *rc::gen::element(relaxed, acquire, release, seq_cst), size);
      }
    }
    const bool race = races_by_brute_force(s.done());
    (race ? with : without) += 1;
    RC_ASSERT(s.check().empty() == !race);
  };
  CHECK(holds(1, 2'000, property));
  CHECK(with > 200);
  CHECK(without > 200);
}

}  // namespace
