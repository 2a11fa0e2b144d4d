// Visitors of an exhibition, counted in a System V segment that each of them attaches for itself.
//
// Broken: they count without a lock, or nobody removes the segment. Correct: a semaphore with
// SEM_UNDO guards the counter, and the last thing that happens to the segment is its removal.
#include <sys/sem.h>
#include <sys/shm.h>

#include <new>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr key_t key = 0x600;
constexpr int before = 10;

// What semctl(2) leaves to its callers to declare.
union semun {
  int val;
};

using counter = forkloom::shared<int>;

// The counter's segment in this process, attached as long as this lives.
class attachment {
 public:
  explicit attachment(int segment) : address_(::shmat(segment, nullptr, 0)) {}
  attachment(const attachment&) = delete;
  ~attachment() { ::shmdt(address_); }

  [[nodiscard]] counter& visits() const { return *static_cast<counter*>(address_); }
  void begin_counting() const { new (address_) counter(before); }

 private:
  void* address_;
};

struct segment {
  segment() { attachment(id).begin_counting(); }
  segment(const segment&) = delete;
  ~segment() { ::shmctl(id, IPC_RMID, nullptr); }

  int id = ::shmget(IPC_PRIVATE, sizeof(counter), 0600);
};

struct turnstile {
  turnstile() { ::semctl(id, 0, SETVAL, semun{.val = 1}); }
  turnstile(const turnstile&) = delete;
  ~turnstile() { ::semctl(id, 0, IPC_RMID); }

  void change(short by) const {
    sembuf one{0, by, SEM_UNDO};
    expect(that(::semop(id, &one, 1)) == 0);
  }

  int id = ::semget(IPC_PRIVATE, 1, 0600);
};

}  // namespace

FORKLOOM_SCENARIO("visitors counted in a segment without a lock",
                  "[system_v][memory][lost_update][broken]",
                  .expects = {violation_kind::lost_update, violation_kind::expectation}) {
  auto& exhibition = scenario.make<segment>("exhibition");
  scenario.processes("visitor", 2, [&] { ++attachment(exhibition.id).visits(); });
  scenario.finally([&] { expect(that(attachment(exhibition.id).visits().load()) == before + 2); });
}

FORKLOOM_SCENARIO("visitors counted in a segment behind a turnstile",
                  "[system_v][memory][semaphore][correct]") {
  auto& exhibition = scenario.make<segment>("exhibition");
  auto& gate = scenario.make<turnstile>("gate");
  scenario.processes("visitor", 2, [&] {
    const attachment here(exhibition.id);
    gate.change(-1);
    ++here.visits();
    gate.change(+1);
  });
  scenario.finally([&] { expect(that(attachment(exhibition.id).visits().load()) == before + 2); });
}

FORKLOOM_SCENARIO("a segment that nobody removes", "[system_v][memory][leak][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("curator", [] {
    const attachment here(::shmget(key, sizeof(counter), IPC_CREAT | 0600));
    here.begin_counting();
  });
}

FORKLOOM_SCENARIO("a segment that is removed", "[system_v][memory][leak][correct]") {
  scenario.process("curator", [] {
    const int id = ::shmget(key, sizeof(counter), IPC_CREAT | IPC_EXCL | 0600);
    const attachment here(id);
    here.begin_counting();
    ::shmctl(id, IPC_RMID, nullptr);
  });
}

FORKLOOM_SCENARIO("a segment that stays attached", "[system_v][memory][leak][broken]",
                  .expects = {violation_kind::leak}) {
  auto& exhibition = scenario.make<segment>("exhibition");
  scenario.process("visitor", [&] { ::shmat(exhibition.id, nullptr, SHM_RDONLY); });
}
