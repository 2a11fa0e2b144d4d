// Vector clocks beside the relation that they stand for, over generated traces.
#include "framework/trace/vector_clock.hpp"

#include <pthread.h>

#include <array>
#include <cerrno>

#include "framework/trace/record_range.hpp"
#include "framework/trace/semaphore_operations.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/property.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

// The same relation from its definition: the edges between all pairs of events, closed
// transitively.
class closure {
 public:
  explicit closure(const trace& what) : what_(what), size_(what.events.size()) {
    reach_.assign(size_, std::vector<bool>(size_, false));
    for (std::size_t j = 0; j < size_; ++j)
      for (std::size_t i = 0; i < j; ++i) reach_[i][j] = edge(i, j);
    for (std::size_t k = 0; k < size_; ++k)
      for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = k + 1; j < size_; ++j)
          if (reach_[i][k] && reach_[k][j]) reach_[i][j] = true;
  }

  [[nodiscard]] bool operator()(std::size_t i, std::size_t j) const { return reach_[i][j]; }

 private:
  [[nodiscard]] bool edge(std::size_t i, std::size_t j) const {
    const auto& a = what_.events[i];
    const auto& b = what_.events[j];
    if (a.task == b.task) return true;
    if (a.op == operation::fork) return a.error == 0 && index(b.task) == a.after;
    if (a.op == operation::exit)
      return b.op == operation::wait_child && b.result > 0 && b.after == index(a.task);
    for (const auto r : released(a))
      for (const auto s : acquired(b))
        if (r == s && r != no_resource) return true;
    return false;
  }

  [[nodiscard]] std::vector<resource_id> released(const event& e) const {
    const bool waits = e.op == operation::cond_wait && e.how == outcome::blocked;
    if (waits && what_.resources[index(e.resource)].kind == resource_kind::condition)
      return {e.second};
    const bool good = e.how == outcome::completed && e.error == 0;
    if (good && traits(e.op).releases) return {e.resource};
    return {};
  }

  [[nodiscard]] static std::vector<resource_id> acquired(const event& e) {
    if (e.how != outcome::completed || e.error != 0) return {};
    if (e.op == operation::cond_wait) {
      if (e.result == ETIMEDOUT) return {e.second};
      return {e.resource, e.second};
    }
    if (traits(e.op).acquires && e.op != operation::wait_child) return {e.resource};
    return {};
  }

  const trace& what_;
  std::size_t size_;
  std::vector<std::vector<bool>> reach_;
};

// Tasks 0 … 3, the last two children of the first; events in any order that the rules of forks and
// deaths leave, with mutexes used as if by correct programs only so far as clocks need it.
trace any_trace() {
  trace_builder b;
  const auto root = b.task("root");
  b.task("peer");
  for (const auto* child : {"child", "sibling"}) b.task(child, root);
  const std::vector<resource_id> locks{b.mutex("m"), b.mutex("n")};
  const std::vector<resource_id> places{b.memory("x"), b.resource("s", resource_kind::semaphore)};
  const auto c = b.resource("c", resource_kind::condition);
  enum class life : std::uint8_t { unborn, alive, dead, reaped };
  std::vector<life> lives{life::alive, life::alive, life::unborn, life::unborn};
  const auto count = *rc::gen::inRange(5, 40);
  for (int i = 0; i < count; ++i) {
    const auto t = *rc::gen::inRange<std::size_t>(0, 4);
    if (t == 0 && *rc::gen::inRange(0, 4) == 0) {
      const auto child = *rc::gen::inRange<std::size_t>(2, 4);
      if (lives[child] == life::unborn) {
        b.forks(root, task_id(child));
        lives[child] = life::alive;
      } else if (lives[child] == life::dead) {
        b.reaps(root, task_id(child));
        lives[child] = life::reaped;
      }
      continue;
    }
    if (lives[t] != life::alive) continue;
    const auto task = task_id(t);
    const auto m = *rc::gen::elementOf(locks);
    const auto x = *rc::gen::elementOf(places);
    switch (*rc::gen::inRange(0, 10)) {
      case 0:
        b.does(task, operation::mutex_unlock, m);
        break;
      case 1:
        b.does(task, operation::mutex_trylock, m, {.error = *rc::gen::element(0, EBUSY)});
        break;
      case 2:
        b.modify(task, x, 0, 1);
        break;
      case 3:
        b.store(task, x, 0, 1);
        break;
      case 4:
        b.does(task, operation::sem_wait, x);
        break;
      case 5:
        b.does(task, operation::sem_post, x);
        break;
      case 6:
        b.blocks(task, operation::cond_wait, c, m);
        break;
      case 7:
        b.does(task, operation::cond_wait, c,
               {.result = *rc::gen::element(0, ETIMEDOUT), .second = m});
        break;
      case 8:
        b.does(task, operation::cond_signal, c);
        break;
      default:
        // A death leaves mutexes behind, which the pairs above do not tell: give them up first.
        for (const auto lock : locks) b.does(task, operation::mutex_unlock, lock);
        b.does(task, operation::exit);
        lives[t] = life::dead;
    }
  }
  return b.done();
}

TEST_CASE("vector clocks say what the transitive closure of all single orders says") {
  std::size_t pairs = 0;
  std::size_t between_tasks = 0;
  CHECK(holds(7, 1000, [&] {
    const auto what = any_trace();
    const auto clocks = vector_clocks(what);
    const closure before(what);
    for (std::size_t j = 0; j < what.events.size(); ++j)
      for (std::size_t i = 0; i < what.events.size(); ++i) {
        RC_ASSERT(happens_before(what, clocks, i, j) == before(i, j));
        if (what.events[i].task == what.events[j].task) continue;
        ++pairs;
        if (before(i, j)) ++between_tasks;
      }
  }));
  // Neither answer is rare, or the comparison would say little.
  CHECK(between_tasks > pairs / 20);
  CHECK(between_tasks < pairs - pairs / 20);
}

}  // namespace
