// The kernel forgets what an epoll watches when the last descriptor of it is closed: so does the
// list that tells whom a wait waits for.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>

#include "tests/integration/memory/traced.hpp"
#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;
namespace testing = forkloom::testing;

int add(int epoll, int fd) {
  epoll_event what{};
  what.events = EPOLLIN;
  what.data.fd = fd;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &what);
}

long wait(int epoll, int timeout) {
  epoll_event found{};
  const auto count = epoll_wait(epoll, &found, 1, timeout);
  return count == 1 ? found.data.fd : count;
}

// Waits for good for what an epoll watches after that.
template <class Before>
forkloom::trace wait_after(Before before) {
  return testing::trace_of({[&] {
    const auto epoll = epoll_create1(0);
    before(epoll);
    static_cast<void>(wait(epoll, -1));
  }});
}

int inotify() { return inotify_init1(IN_CLOEXEC); }

}  // namespace

TEST_CASE("what is closed is watched no longer, unless somebody else has it open") {
  const auto seen = both<notes>({[](notes& w) {
    const auto epoll = epoll_create1(0);
    const auto event = eventfd(1, 0);
    w.note_error(0, add(epoll, event));
    w.note(1, wait(epoll, 0) == event);
    const auto copy = dup(event);
    close(event);
    w.note(2, wait(epoll, 0) == event);  // the copy is of the same open file
    close(copy);
    w.note(3, wait(epoll, 10));
    const auto fresh = eventfd(0, 0);
    w.note(4, fresh == event);
    w.note(5, wait(epoll, 10));
    w.note_error(6, add(epoll, fresh));  // it was forgotten, so it is no second one
    eventfd_write(fresh, 1);
    w.note(7, wait(epoll, -1) == fresh);
    close(fresh);
    close(epoll);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == 1);
}

TEST_CASE("whoever waits for nothing but what is closed waits for nobody") {
  using forkloom::ending;
  CHECK(wait_after([](int epoll) { add(epoll, inotify()); }).how == ending::uncontrolled);
  CHECK(wait_after([](int epoll) {
          const auto fd = inotify();
          add(epoll, fd);
          close(fd);
        }).how == ending::stuck);
  CHECK(wait_after([](int epoll) {
          const auto fd = inotify();
          add(epoll, fd);
          const auto copy = dup(fd);
          close(fd);
          static_cast<void>(copy);
        }).how == ending::uncontrolled);
  CHECK(wait_after([](int epoll) {
          const auto fd = inotify();
          add(epoll, fd);
          const auto other = eventfd(0, 0);
          dup2(other, fd);
        }).how == ending::stuck);
  CHECK(wait_after([](int epoll) {
          const auto child = fork();
          if (child == 0) {
            add(epoll, inotify());
            _exit(0);
          }
        }).how == ending::stuck);
}

TEST_CASE("a server that watches and closes thousands of connections is controlled to the end") {
  constexpr int connections = 3000;  // more than the list holds
  const auto what = testing::trace_of({[] {
    const auto epoll = epoll_create1(0);
    for (int i = 0; i < connections; ++i) {
      std::array<int, 2> ends{};
      if (pipe(ends.data()) != 0 || add(epoll, ends[0]) != 0) _exit(1);
      close(ends[0]);
      close(ends[1]);
    }
    const auto event = eventfd(1, 0);
    if (add(epoll, event) != 0 || wait(epoll, -1) != event) _exit(2);
  }});
  CHECK(what.tasks[0].end.code == 0);
  CHECK(what.passed.empty());
}
