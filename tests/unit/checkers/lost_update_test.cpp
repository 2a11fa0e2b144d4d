#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_lost_update;

struct bank {
  trace_builder b;
  task_id one = b.task("teller 0");
  task_id other = b.task("teller 1");
  task_id third = b.task("teller 2");
  resource_id account = b.memory("account");

  [[nodiscard]] std::vector<violation> found() const { return check_lost_update(b.done(), {}); }
};

TEST_CASE("a lost update is told with the three values that prove it") {
  bank k;
  const auto read = k.b.load(k.one, k.account, 100);
  k.b.load(k.other, k.account, 100);
  const auto change = k.b.store(k.other, k.account, 100, 120);
  const auto overwrite = k.b.store(k.one, k.account, 120, 110);

  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::lost_update);
  CHECK(found[0].message ==
        "an update of account by teller 1 at code.cpp:2 was lost: teller 0 read 100, teller 1 "
        "wrote 120 (never read), teller 0 overwrote it with 110 at code.cpp:3");
  CHECK(found[0].tasks == strings{"teller 0", "teller 1"});
  CHECK(found[0].resource == "account");
  CHECK(found[0].evidence == indices{read, change, overwrite});
}

TEST_CASE("two increments that both wrote the same value lost one") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.load(k.other, k.account, 100);
  k.b.store(k.other, k.account, 100, 110);
  k.b.store(k.one, k.account, 110, 110);
  CHECK(k.found().size() == 1);
}

TEST_CASE("one increment after the other loses nothing") {
  bank k;
  k.b.load(k.other, k.account, 100);
  k.b.store(k.other, k.account, 100, 110);
  k.b.load(k.one, k.account, 110);
  k.b.store(k.one, k.account, 110, 120);
  CHECK(k.found().empty());
}

TEST_CASE("a task that looks again before it writes knows what it overwrites") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.store(k.other, k.account, 100, 120);
  k.b.load(k.one, k.account, 120);
  k.b.store(k.one, k.account, 120, 110);
  CHECK(k.found().empty());
}

TEST_CASE("a value that a third task read in time is not lost") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.store(k.other, k.account, 100, 120);
  k.b.load(k.third, k.account, 120);
  k.b.store(k.one, k.account, 120, 110);
  CHECK(k.found().empty());
}

TEST_CASE("a value that a third task read too late is lost") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.store(k.other, k.account, 100, 120);
  k.b.store(k.one, k.account, 120, 110);
  k.b.load(k.third, k.account, 110);
  CHECK(k.found().size() == 1);
}

TEST_CASE("an atomic modification can be lost, and never loses") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.modify(k.other, k.account, 100, 120);
  SECTION("overwritten by a store") {
    k.b.store(k.one, k.account, 120, 110);
    CHECK(k.found().size() == 1);
  }
  SECTION("followed by another modification") {
    k.b.modify(k.one, k.account, 120, 130);
    CHECK(k.found().empty());
  }
}

TEST_CASE("a blind write loses nothing, for it was not made from an older value") {
  bank k;
  k.b.store(k.other, k.account, 100, 120);
  k.b.store(k.one, k.account, 120, 0);
  CHECK(k.found().empty());
}

TEST_CASE("a task whose latest access was a write has nothing old to compute from") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.store(k.one, k.account, 100, 110);
  k.b.store(k.other, k.account, 110, 130);
  k.b.store(k.one, k.account, 130, 120);
  CHECK(k.found().empty());
}

TEST_CASE("it is the latest of several changes that is lost") {
  bank k;
  const auto read = k.b.load(k.one, k.account, 100);
  k.b.modify(k.third, k.account, 100, 105);
  const auto change = k.b.modify(k.other, k.account, 105, 120);
  const auto overwrite = k.b.store(k.one, k.account, 120, 110);
  const auto found = k.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{read, change, overwrite});
}

TEST_CASE("a task that overwrites its own value loses nothing") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.store(k.one, k.account, 100, 110);
  k.b.store(k.one, k.account, 110, 120);
  CHECK(k.found().empty());
}

TEST_CASE("a store of the value that was there already is no update to lose") {
  bank k;
  k.b.load(k.one, k.account, 100);
  k.b.store(k.other, k.account, 100, 100);
  k.b.store(k.one, k.account, 100, 110);
  CHECK(k.found().empty());
}

TEST_CASE("accesses to another place do not matter") {
  bank k;
  const auto savings = k.b.memory("savings");
  k.b.load(k.one, k.account, 100);
  k.b.store(k.other, savings, 100, 120);
  k.b.store(k.one, k.account, 100, 110);
  CHECK(k.found().empty());
}

TEST_CASE("two tasks that both set a flag lose nothing") {
  bank k;
  k.b.load(k.one, k.account, 0);
  k.b.load(k.other, k.account, 0);
  k.b.store(k.other, k.account, 0, 1);
  k.b.store(k.one, k.account, 1, 1);
  CHECK(k.found().empty());
}

TEST_CASE("the turn of Peterson's algorithm is overwritten on purpose") {
  bank k;
  k.b.load(k.one, k.account, 1);
  k.b.store(k.other, k.account, 1, 0);
  k.b.store(k.one, k.account, 0, 1);
  CHECK(k.found().empty());
}

TEST_CASE("a counter from 0 to 1 is no flag once it shows a 2") {
  bank k;
  k.b.load(k.one, k.account, 0);
  k.b.load(k.other, k.account, 0);
  k.b.store(k.other, k.account, 0, 1);
  k.b.store(k.one, k.account, 1, 1);
  k.b.modify(k.third, k.account, 1, 2);
  CHECK(k.found().size() == 1);
}

TEST_CASE("tasks that write back the value they read, which another wrote too, update nothing") {
  bank k;
  k.b.load(k.one, k.account, 7);
  k.b.store(k.third, k.account, 7, 5);
  k.b.modify(k.third, k.account, 5, 6);
  k.b.store(k.other, k.account, 6, 7);
  k.b.store(k.one, k.account, 7, 7);
  CHECK(k.found().empty());
}

TEST_CASE("a resource is told once, by its first loss; others for themselves, in that order") {
  bank k;
  const auto savings = k.b.memory("savings");
  const auto lose = [&](resource_id x, std::uint64_t from) {
    k.b.load(k.one, x, from);
    k.b.store(k.other, x, from, from + 20);
    return k.b.store(k.one, x, from + 20, from + 10);
  };
  const auto first = lose(savings, 50);
  const auto second = lose(k.account, 100);
  lose(savings, 60);
  const auto found = k.found();
  REQUIRE(found.size() == 2);
  CHECK(found[0].resource == "savings");
  CHECK(found[0].evidence.back() == first);
  CHECK(found[1].resource == "account");
  CHECK(found[1].evidence.back() == second);
}

}  // namespace
