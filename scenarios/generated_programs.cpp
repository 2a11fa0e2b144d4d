// A number that only grows, and a queue of slots: programs made at random find out what cannot be
// done with them at the same time.
#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "forkloom/forkloom.hpp"
#include "forkloom/linearizability.hpp"

using namespace forkloom;

namespace {

struct maximum_model {
  long value = 0;
  bool raise(long v) {
    if (v <= value) return false;
    value = v;
    return true;
  }
  long read() { return value; }
  bool operator==(const maximum_model&) const = default;
};

// The greatest number that anybody has told.
class maximum {
 public:
  maximum(shared<long>& value, ipc::mutex* lock) : value_(value), lock_(lock) {}

  // Looks and then writes: without a lock, a greater number that came in between is overwritten.
  bool raise(long v) {
    const auto guard = locked();
    if (v <= value_.load()) return false;
    value_.store(v);
    return true;
  }
  long read() { return value_.load(); }

 private:
  std::unique_lock<ipc::mutex> locked() {
    return lock_ == nullptr ? std::unique_lock<ipc::mutex>{} : std::unique_lock{*lock_};
  }

  shared<long>& value_;
  ipc::mutex* lock_;
};

void run_maximum(scenario& scenario, bool with_lock) {
  auto& value = scenario.shared<long>("maximum");
  auto& lock = scenario.make<ipc::mutex>("maximum lock");
  object_under_test<maximum, maximum_model> object("maximum");
  object.opened_by([&](process&) { return maximum(value, with_lock ? &lock : nullptr); });
  object.operation("raise", &maximum::raise, &maximum_model::raise, rc::gen::inRange(1L, 4L));
  object.operation("read", &maximum::read, &maximum_model::read);
  run_programs(scenario, object, {.processes = 2, .operations = 3});
}

constexpr std::size_t room = 8;

struct queue_model {
  std::vector<int> values;
  void push(int v) { values.push_back(v); }
  std::optional<int> pop() {
    if (values.empty()) return std::nullopt;
    const int first = values.front();
    values.erase(values.begin());
    return first;
  }
  bool operator==(const queue_model&) const = default;
};

struct queue_memory {
  std::array<shared<int>, room> slots;
  shared<std::size_t> first;
  shared<std::size_t> last;
  ipc::mutex lock;
};

class queue {
 public:
  queue(queue_memory& memory, bool lock_pops) : memory_(memory), lock_pops_(lock_pops) {}

  void push(int v) {
    const std::scoped_lock guard{memory_.lock};
    memory_.slots[memory_.last.load() % room].store(v);
    memory_.last += 1;
  }

  // Two who pop without the lock may both get the first value.
  std::optional<int> pop() {
    if (!lock_pops_) return take();
    const std::scoped_lock guard{memory_.lock};
    return take();
  }

 private:
  std::optional<int> take() {
    const auto first = memory_.first.load();
    if (first == memory_.last.load()) return std::nullopt;
    const int v = memory_.slots[first % room].load();
    memory_.first.store(first + 1);
    return v;
  }

  queue_memory& memory_;
  bool lock_pops_;
};

void run_queue(scenario& scenario, bool lock_pops) {
  auto& memory = scenario.make<queue_memory>("queue");
  object_under_test<queue, queue_model> object("queue");
  object.opened_by([&](process&) { return queue(memory, lock_pops); });
  object.operation("push", &queue::push, &queue_model::push, rc::gen::inRange(1, 9));
  object.operation("pop", &queue::pop, &queue_model::pop);
  run_programs(scenario, object, {.processes = 2, .operations = 4});
}

}  // namespace

FORKLOOM_SCENARIO("a maximum that looks and then writes", "[linearizability][broken]",
                  .checkers = {"not_linearizable"}, .expects = {violation_kind::not_linearizable}) {
  run_maximum(scenario, false);
}

FORKLOOM_SCENARIO("a maximum under a mutex", "[linearizability][correct]") {
  run_maximum(scenario, true);
}

FORKLOOM_SCENARIO("a queue that pops without its lock", "[linearizability][broken]",
                  .checkers = {"not_linearizable"}, .expects = {violation_kind::not_linearizable}) {
  run_queue(scenario, false);
}

FORKLOOM_SCENARIO("a queue under its lock", "[linearizability][correct]") {
  run_queue(scenario, true);
}
