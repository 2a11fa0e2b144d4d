// A record of two digits whose writers may be killed in the middle: the last write of a killed
// process may have taken effect or not, but never half.
#include <signal.h>

#include <array>

#include "forkloom/forkloom.hpp"
#include "forkloom/linearizability.hpp"

using namespace forkloom;

namespace {

struct record_model {
  int value = 0;
  void write(int digit) { value = 11 * digit; }
  int read() { return value; }
  bool operator==(const record_model&) const = default;
};

// Plain memory, which the lock guards. Nobody need notice what a killed writer leaves in the copy
// that is not the current one.
struct digits {
  int tens = 0;
  int units = 0;
};

struct record_memory {
  std::array<digits, 2> copies;
  shared<std::size_t> current;
  ipc::mutex lock{ipc::mutex::kind::normal, ipc::mutex::robustness::robust};
};

class record {
 public:
  record(record_memory& memory, bool in_place) : memory_(memory), in_place_(in_place) {}

  void write(int digit) {
    write_and(digit, [] {});
  }
  void write_and_die(int digit) {
    write_and(digit, [] { ::raise(SIGKILL); });
  }
  int read() {
    lock();
    const auto& [tens, units] = memory_.copies.at(memory_.current.load());
    const int value = 10 * tens + units;
    memory_.lock.unlock();
    return value;
  }

 private:
  // Whoever finds that the owner has died takes it for granted that the record is whole. It is, if
  // the other copy is written and then becomes the current one by a single store.
  void lock() {
    if (memory_.lock.lock() == ipc::mutex::acquired::owner_died) memory_.lock.consistent();
  }

  template <class Halfway>
  void write_and(int digit, Halfway halfway) {
    lock();
    const auto current = memory_.current.load();
    const auto where = in_place_ ? current : 1 - current;
    auto& [tens, units] = memory_.copies.at(where);
    tens = digit;
    halfway();
    units = digit;
    memory_.current.store(where);
    memory_.lock.unlock();
  }

  record_memory& memory_;
  bool in_place_;
};

void run_record(scenario& scenario, bool in_place) {
  auto& memory = scenario.make<record_memory>("record");
  object_under_test<record, record_model> object("record");
  object.opened_by([&](process&) { return record(memory, in_place); });
  object.operation("write", &record::write, &record_model::write, rc::gen::inRange(1, 4));
  object.operation("write_and_die", &record::write_and_die, &record_model::write,
                   rc::gen::inRange(4, 7));
  object.operation("read", &record::read, &record_model::read);
  run_programs(scenario, object,
               {.processes = 2, .operations = 3, .judged = {.may_be_killed = true}});
}

}  // namespace

FORKLOOM_SCENARIO("a record that is written in place when its writer is killed",
                  "[linearizability][robust][broken]", .checkers = {"not_linearizable"},
                  .expects = {violation_kind::not_linearizable}) {
  run_record(scenario, true);
}

FORKLOOM_SCENARIO("a record that changes by one store when its writer is killed",
                  "[linearizability][robust][correct]") {
  run_record(scenario, false);
}
