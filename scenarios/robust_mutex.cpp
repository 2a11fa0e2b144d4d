// An owner that dies in the middle of its work. A robust mutex tells the next one, who must mend
// the data and say so; any other mutex stays locked for ever.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

using forkloom::ipc::mutex;

// Two halves that must be equal whenever nobody holds the lock.
struct ledger {
  explicit ledger(mutex::robustness death) : lock(mutex::kind::normal, death) {}

  mutex lock;
  forkloom::shared<int> debit{10};
  forkloom::shared<int> credit{10};

  void post_half_and_die() {
    lock.lock();
    ++debit;
    ::kill(::getpid(), SIGKILL);
  }
};

}  // namespace

FORKLOOM_SCENARIO("a mutex whose owner dies", "[robust][mutex][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  auto& books = scenario.make<ledger>("books", mutex::robustness::stalled);
  scenario.process("victim", [&] { books.post_half_and_die(); }).may_die_of(SIGKILL);
  scenario.process("heir", [&] {
    books.lock.lock();
    books.lock.unlock();
  });
}

FORKLOOM_SCENARIO("a robust mutex that nobody mends", "[robust][mutex][expectation][broken]",
                  .expects = {forkloom::violation_kind::expectation}) {
  auto& books = scenario.make<ledger>("books", mutex::robustness::robust);
  scenario.process("victim", [&] { books.post_half_and_die(); }).may_die_of(SIGKILL);
  scenario.processes("heir", 2, [&] {
    try {
      books.lock.lock();
      books.lock.unlock();
    } catch (const std::system_error& error) {
      forkloom::expect(forkloom::that(error.code().value()) != ENOTRECOVERABLE);
    }
  });
}

FORKLOOM_SCENARIO("a robust mutex that the next owner mends", "[robust][mutex][correct]") {
  auto& books = scenario.make<ledger>("books", mutex::robustness::robust);
  scenario.process("victim", [&] { books.post_half_and_die(); }).may_die_of(SIGKILL);
  scenario.processes("heir", 2, [&] {
    if (books.lock.lock() == mutex::acquired::owner_died) {
      books.credit = books.debit.load();
      books.lock.consistent();
    }
    forkloom::expect(forkloom::that(books.debit) == books.credit.load());
    books.lock.unlock();
  });
}
