#include "framework/explore/steer.hpp"

#include "checkers/checker.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using explore::steered_into;

struct office {
  trace_builder b;
  task_id clerk = b.task("clerk");
  task_id cashier = b.task("cashier");
  task_id guard = b.task("guard");
  resource_id ledger = b.mutex("ledger");
  resource_id safe = b.mutex("safe");

  void nest(task_id task, resource_id outer, resource_id inner) {
    b.lock(task, outer);
    b.lock(task, inner);
    b.unlock(task, inner);
    b.unlock(task, outer);
  }
  [[nodiscard]] std::vector<task_id> steered() {
    for (auto& e : b.raw().events) ++e.step;  // as executions count them
    const auto found = checkers::check_lock_order(b.done(), {});
    REQUIRE(found.size() == 1);
    std::vector<task_id> order;
    for (const auto& pick : steered_into(b.done(), found.front()).picks) {
      CHECK(pick.step == order.size());
      order.push_back(pick.task);
    }
    return order;
  }
};

TEST_CASE("each task is held before its second lock until all are there") {
  office o;
  o.b.load(o.guard, o.b.memory("x"), 0);
  o.nest(o.clerk, o.ledger, o.safe);
  o.b.load(o.guard, o.b.memory("x"), 0);
  o.nest(o.cashier, o.safe, o.ledger);
  o.b.load(o.guard, o.b.memory("x"), 0);
  CHECK(o.steered() == std::vector{o.guard, o.clerk, o.guard, o.cashier, o.clerk, o.cashier});
}

TEST_CASE("a lock that was waited for is asked for where the wait began") {
  office o;
  o.b.lock(o.clerk, o.ledger);
  o.b.lock(o.guard, o.safe);
  o.b.blocks(o.clerk, operation::mutex_lock, o.safe);
  o.b.unlock(o.guard, o.safe);
  o.b.lock(o.clerk, o.safe);
  o.b.unlock(o.clerk, o.safe);
  o.b.unlock(o.clerk, o.ledger);
  o.nest(o.cashier, o.safe, o.ledger);
  CHECK(o.steered() == std::vector{o.clerk, o.guard, o.guard, o.cashier, o.clerk, o.cashier});
}

}  // namespace
