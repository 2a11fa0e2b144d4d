// Two brushes and two pots of paint, as two sets of System V semaphores.
//
// Broken: one painter takes a brush first, the other one the paint. Correct: both lie in one set,
// and one call takes both or neither.
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

// A set of that many semaphores, all one; removed at the end.
struct tools {
  explicit tools(int count) : id(::semget(IPC_PRIVATE, count, 0600)) {
    for (int i = 0; i < count; ++i) ::semctl(id, i, SETVAL, semun{.val = 1});
  }
  tools(const tools&) = delete;
  ~tools() { ::semctl(id, 0, IPC_RMID); }

  void change(std::span<sembuf> operations) const {
    expect(that(::semop(id, operations.data(), operations.size())) == 0);
  }
  void take() const {
    sembuf one{0, -1, SEM_UNDO};
    change({&one, 1});
  }
  void give_back() const {
    sembuf one{0, +1, SEM_UNDO};
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
                  "[system_v][semaphore][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  auto& brush = scenario.make<tools>("brush", 1);
  auto& paint_pot = scenario.make<tools>("paint pot", 1);
  scenario.process("painter", [&] { paint(brush, paint_pot); });
  scenario.process("varnisher", [&] { paint(paint_pot, brush); });
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
