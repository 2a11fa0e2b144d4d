// What the lives of threads order.
#include "framework/trace/vector_clock.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct process {
  trace_builder b;
  task_id parent = b.task("parent");
  task_id main = b.task("main", parent);
  task_id worker = b.thread("main/t1", main);
  resource_id children = b.resource("children of parent", resource_kind::process);
  resource_id as_thread = b.resource("thread main/t1", resource_kind::thread);
  resource_id m = b.mutex("m");
  resource_id x = b.memory("x");

  [[nodiscard]] bool ordered(std::size_t first, std::size_t second) const {
    return happens_before(b.done(), vector_clocks(b.done()), first, second);
  }
};

TEST_CASE("the creation of a thread happens before all of it") {
  process p;
  const auto before = p.b.load(p.main, p.x, 0);
  p.b.creates(p.main, p.worker, p.as_thread);
  const auto after = p.b.load(p.main, p.x, 0);
  const auto first = p.b.does(p.worker, operation::start);
  CHECK(p.ordered(before, first));
  CHECK_FALSE(p.ordered(after, first));
}

TEST_CASE("the end of a thread happens before the join, and not before what came earlier") {
  process p;
  p.b.creates(p.main, p.worker, p.as_thread);
  const auto last = p.b.load(p.worker, p.x, 0);
  p.b.leaves(p.worker, p.as_thread);
  const auto before = p.b.load(p.main, p.x, 0);
  const auto joined = p.b.joins(p.main, p.worker, p.as_thread);
  CHECK_FALSE(p.ordered(last, before));
  CHECK(p.ordered(last, joined));
}

TEST_CASE("whoever reaps a process comes after all its threads, joined or not") {
  process p;
  p.b.forks(p.parent, p.main, p.children);
  p.b.creates(p.main, p.worker, p.as_thread, true);
  const auto last = p.b.load(p.worker, p.x, 0);
  p.b.leaves(p.worker, p.as_thread);
  p.b.does(p.main, operation::exit, p.children);
  const auto reaped = p.b.reaps(p.parent, p.main, p.children);
  CHECK(p.ordered(last, reaped));
}

TEST_CASE("a thread that ends with a mutex happens before who takes it") {
  process p;
  p.b.creates(p.main, p.worker, p.as_thread);
  const auto last = p.b.lock(p.worker, p.m);
  p.b.leaves(p.worker, p.as_thread);
  CHECK(p.ordered(last, p.b.lock(p.main, p.m)));
}

}  // namespace
