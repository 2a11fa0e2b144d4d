// Two brushes and two pots of paint, as two sets of System V semaphores.
//
// Broken: one painter takes a brush first, the other one the paint; that it can deadlock shows also
// where it does not. Correct: both lie in one set, and one call takes both or neither; or both take
// the brush first; or there is enough of both. A painter who only tries must look whether it got
// it.
#include <sys/sem.h>
#include <unistd.h>

#include <span>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

// What semctl(2) leaves to its callers to declare.
union semun {
  int val;
};

// A set of that many semaphores; removed at the end.
struct tools {
  explicit tools(int count, int of_each = 1) : id(::semget(IPC_PRIVATE, count, 0600)) {
    for (int i = 0; i < count; ++i) ::semctl(id, i, SETVAL, semun{.val = of_each});
  }
  tools(const tools&) = delete;
  ~tools() { ::semctl(id, 0, IPC_RMID); }

  void change(std::span<sembuf> operations) const {
    expect(that(::semop(id, operations.data(), operations.size())) == 0);
  }
  void take(unsigned short which = 0) const {
    sembuf one{which, -1, SEM_UNDO};
    change({&one, 1});
  }
  [[nodiscard]] bool try_to_take() const {
    sembuf one{0, -1, IPC_NOWAIT | SEM_UNDO};
    return ::semop(id, &one, 1) == 0;
  }
  void give_back(unsigned short which = 0) const {
    sembuf one{which, +1, SEM_UNDO};
    change({&one, 1});
  }

  int id;
};

void paint(const tools& first, const tools& second) {
  first.take();
  second.take();
  second.give_back();
  first.give_back();
}

}  // namespace

FORKLOOM_SCENARIO("two semaphore sets taken in opposite order",
                  "[system_v][semaphore][deadlock][lock_order][broken]",
                  .expects = {violation_kind::lock_order, violation_kind::deadlock}) {
  auto& brush = scenario.make<tools>("brush", 1);
  auto& paint_pot = scenario.make<tools>("paint pot", 1);
  scenario.process("painter", [&] { paint(brush, paint_pot); });
  scenario.process("varnisher", [&] { paint(paint_pot, brush); });
}

namespace {

// Two tools that lie in one set.
void paint_with(const tools& both, unsigned short first, unsigned short second) {
  both.take(first);
  both.take(second);
  both.give_back(second);
  both.give_back(first);
}

}  // namespace

FORKLOOM_SCENARIO("two semaphores of one set taken in opposite order",
                  "[system_v][semaphore][deadlock][lock_order][broken]",
                  .expects = {violation_kind::lock_order, violation_kind::deadlock}) {
  auto& both = scenario.make<tools>("brush and paint pot", 2);
  scenario.process("painter", [&] { paint_with(both, 0, 1); });
  scenario.process("varnisher", [&] { paint_with(both, 1, 0); });
}

FORKLOOM_SCENARIO("two semaphores of one set taken in the same order",
                  "[system_v][semaphore][lock_order][correct]") {
  auto& both = scenario.make<tools>("brush and paint pot", 2);
  scenario.processes("painter", 2, [&] { paint_with(both, 0, 1); });
}

FORKLOOM_SCENARIO("two semaphores with enough for both, taken in opposite order",
                  "[system_v][semaphore][lock_order][correct]") {
  auto& both = scenario.make<tools>("brushes and paint pots", 2, 2);
  scenario.process("painter", [&] { paint_with(both, 0, 1); });
  scenario.process("varnisher", [&] { paint_with(both, 1, 0); });
}

FORKLOOM_SCENARIO("a painter who gives back a brush that it did not get",
                  "[system_v][semaphore][unchecked_failure][broken]",
                  .expects = {violation_kind::unchecked_failure}) {
  auto& brush = scenario.make<tools>("brush", 1);
  scenario.process("varnisher", [&] {
    brush.take();
    brush.give_back();
  });
  scenario.process("painter", [&] {
    static_cast<void>(brush.try_to_take());
    brush.give_back();
  });
}

FORKLOOM_SCENARIO("a painter who goes away if it does not get the brush",
                  "[system_v][semaphore][unchecked_failure][correct]") {
  auto& brush = scenario.make<tools>("brush", 1);
  scenario.process("varnisher", [&] {
    brush.take();
    brush.give_back();
  });
  scenario.process("painter", [&] {
    if (brush.try_to_take()) brush.give_back();
  });
}

FORKLOOM_SCENARIO("two semaphores taken by one call", "[system_v][semaphore][correct]") {
  auto& both = scenario.make<tools>("brush and paint pot", 2);
  scenario.processes("painter", 2, [&](forkloom::process& self) {
    const auto first = static_cast<unsigned short>(self.index());
    const auto second = static_cast<unsigned short>(1 - self.index());
    sembuf taking[] = {{first, -1, SEM_UNDO}, {second, -1, SEM_UNDO}};
    sembuf giving[] = {{first, +1, SEM_UNDO}, {second, +1, SEM_UNDO}};
    both.change(taking);
    both.change(giving);
  });
}

namespace {

// The painter dies with the brush in hand.
void take_and_die(const tools& brush, short flags) {
  sembuf one{0, -1, flags};
  brush.change({&one, 1});
  ::_exit(0);
}

}  // namespace

FORKLOOM_SCENARIO("a semaphore that a dead process never gives back",
                  "[system_v][semaphore][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  auto& brush = scenario.make<tools>("brush", 1);
  scenario.process("victim", [&] { take_and_die(brush, 0); });
  scenario.process("heir", [&] {
    brush.take();
    brush.give_back();
  });
}

FORKLOOM_SCENARIO("a semaphore that the kernel gives back for a dead process",
                  "[system_v][semaphore][correct]") {
  auto& brush = scenario.make<tools>("brush", 1);
  scenario.process("victim", [&] { take_and_die(brush, SEM_UNDO); });
  scenario.process("heir", [&] {
    brush.take();
    brush.give_back();
  });
}
