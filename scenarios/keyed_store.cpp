// A store of counts, by key: programs are judged key by key, as keys have nothing to do with each
// other.
#include <array>
#include <mutex>

#include "forkloom/forkloom.hpp"
#include "forkloom/linearizability.hpp"

using namespace forkloom;

namespace {

constexpr int keys = 3;

struct store_model {
  std::array<int, keys> counts{};
  int add(int key, int by) { return counts.at(static_cast<std::size_t>(key)) += by; }
  int get(int key) { return counts.at(static_cast<std::size_t>(key)); }
  bool operator==(const store_model&) const = default;
};

struct entry {
  shared<int> count;
  ipc::mutex lock;
};

class store {
 public:
  store(std::array<entry, keys>& entries, bool locks) : entries_(entries), locks_(locks) {}

  // Reads and then writes: without the lock of the key, what another process adds is lost.
  int add(int key, int by) {
    auto& [count, lock] = entries_.at(static_cast<std::size_t>(key));
    const auto guard = locks_ ? std::unique_lock{lock} : std::unique_lock<ipc::mutex>{};
    const int sum = count.load() + by;
    count.store(sum);
    return sum;
  }
  int get(int key) { return entries_.at(static_cast<std::size_t>(key)).count.load(); }

 private:
  std::array<entry, keys>& entries_;
  bool locks_;
};

void run_store(scenario& scenario, bool locks) {
  auto& entries = scenario.make<std::array<entry, keys>>("store");
  object_under_test<store, store_model> object("store");
  object.opened_by([&](process&) { return store(entries, locks); });
  object.keyed_operation("add", &store::add, &store_model::add, rc::gen::inRange(0, keys),
                         rc::gen::inRange(1, 4));
  object.keyed_operation("get", &store::get, &store_model::get, rc::gen::inRange(0, keys));
  run_programs(scenario, object, {.processes = 3, .operations = 4});
}

}  // namespace

FORKLOOM_SCENARIO("a store whose counts are added up without a lock", "[linearizability][broken]",
                  .checkers = {"not_linearizable"}, .expects = {violation_kind::not_linearizable}) {
  run_store(scenario, false);
}

FORKLOOM_SCENARIO("a store with a lock for each key", "[linearizability][correct]") {
  run_store(scenario, true);
}
