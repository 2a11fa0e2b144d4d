// Files whose being there is the lock.
#include <fcntl.h>
#include <unistd.h>

#include "forkloom/forkloom.hpp"

using namespace forkloom;

namespace {

constexpr const char* lock_path = "/dev/shm/printer.lock";

// Looks, and makes the file if it is not there: another one may look at the same time.
bool take_if_absent() {
  if (::access(lock_path, F_OK) == 0) return false;
  const int fd = ::open(lock_path, O_CREAT | O_WRONLY, 0600);
  ::close(fd);
  return fd >= 0;
}

bool take_alone() {
  const int fd = ::open(lock_path, O_CREAT | O_EXCL | O_WRONLY, 0600);
  if (fd < 0) return false;
  ::close(fd);
  return true;
}

void print_under(scenario& scenario, bool (*take)()) {
  auto& pages = scenario.shared<long>("pages", 100);
  scenario.processes("user", 2, [&, take] {
    while (!take()) ::usleep(1000);
    pages += 7;
    ::unlink(lock_path);
  });
  scenario.finally([&] { expect(pages == 114); });
}

}  // namespace

FORKLOOM_SCENARIO("a lock file that is looked for and then made",
                  "[lock-file][lost-update][broken]",
                  .expects = {violation_kind::lost_update, violation_kind::expectation}) {
  print_under(scenario, take_if_absent);
}

FORKLOOM_SCENARIO("a lock file that is made with O_EXCL", "[lock-file][correct]") {
  print_under(scenario, take_alone);
}

FORKLOOM_SCENARIO("a lock file that nobody removes", "[lock-file][leak][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("user", [] { expect(take_alone()); });
}

FORKLOOM_SCENARIO("a lock file that is removed", "[lock-file][leak][correct]") {
  scenario.process("user", [] {
    expect(take_alone());
    ::unlink(lock_path);
  });
}
