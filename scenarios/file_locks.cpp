// Locks on files: flock, record locks of processes and of open files, and Boost's file_lock.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/interprocess/sync/file_lock.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <string>

#include "forkloom/forkloom.hpp"

using namespace forkloom;
namespace bip = boost::interprocess;

namespace {

// A file that is there for the time of an execution.
class scratch_file {
 public:
  explicit scratch_file(const char* name) : path_(std::string("/dev/shm/") + name) {
    ::close(::open(path(), O_CREAT | O_RDWR, 0600));
  }
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;
  ~scratch_file() { ::unlink(path()); }

  [[nodiscard]] const char* path() const { return path_.c_str(); }
  [[nodiscard]] int open() const { return ::open(path(), O_RDWR | O_CLOEXEC); }

 private:
  std::string path_;
};

void move_goods(const scratch_file& first, const scratch_file& second) {
  const int one = first.open();
  const int other = second.open();
  ::flock(one, LOCK_EX);
  ::flock(other, LOCK_EX);
  ::close(other);
  ::close(one);
}

// Two clerks and two stock lists. opposite: each clerk begins with the other list.
void lock_two_files(scenario& scenario, bool opposite) {
  const scratch_file north("north.stock");
  const scratch_file south("south.stock");
  scenario.process("clerk 0", [&] { move_goods(north, south); });
  scenario.process("clerk 1", [&] {
    if (opposite)
      move_goods(south, north);
    else
      move_goods(north, south);
  });
  scenario.finally([] {});
}

// Whoever changes the balance locks the file's first bytes, and looks into the file meanwhile.
void book(const scratch_file& accounts, shared<long>& balance, int command) {
  const int fd = accounts.open();
  struct flock record {};
  record.l_type = F_WRLCK;
  record.l_len = 100;
  expect(that(::fcntl(fd, command, &record)) == 0);
  ::close(accounts.open());  // POSIX: gives back all locks of the process on the file
  balance += 10;
  ::close(fd);
}

void book_under(scenario& scenario, int command) {
  const scratch_file accounts("accounts.db");
  auto& balance = scenario.shared<long>("balance", 100);
  scenario.processes("teller", 2, [&] { book(accounts, balance, command); });
  scenario.finally([&] { expect(balance == 120); });
}

void count_under_file_lock(scenario& scenario, bool locked) {
  const scratch_file gate("gate.lock");
  auto& visitors = scenario.shared<long>("visitors", 100);
  scenario.processes("turnstile", 2, [&, locked] {
    bip::file_lock lock(gate.path());
    bip::scoped_lock<bip::file_lock> guard(lock, bip::defer_lock);
    for (int i = 0; i < 2; ++i) {
      if (locked) guard.lock();
      visitors += 1;
      if (locked) guard.unlock();
    }
  });
  scenario.finally([&] { expect(visitors == 104); });
}

}  // namespace

FORKLOOM_SCENARIO("two flocks taken in opposite order", "[file-lock][flock][deadlock][broken]",
                  .expects = {violation_kind::deadlock, violation_kind::lock_order}) {
  lock_two_files(scenario, true);
}

FORKLOOM_SCENARIO("two flocks taken in the same order", "[file-lock][flock][correct]") {
  lock_two_files(scenario, false);
}

FORKLOOM_SCENARIO("a record lock that another descriptor's close gives back",
                  "[file-lock][record-lock][lost-update][broken]",
                  .expects = {violation_kind::lost_update, violation_kind::expectation}) {
  book_under(scenario, F_SETLKW);
}

FORKLOOM_SCENARIO("a record lock of the open file", "[file-lock][record-lock][correct]") {
  book_under(scenario, F_OFD_SETLKW);
}

FORKLOOM_SCENARIO("a Boost file lock that is not taken", "[boost][file-lock][lost-update][broken]",
                  .expects = {violation_kind::lost_update, violation_kind::expectation}) {
  count_under_file_lock(scenario, false);
}

FORKLOOM_SCENARIO("a Boost file lock that is taken", "[boost][file-lock][correct]") {
  count_under_file_lock(scenario, true);
}
