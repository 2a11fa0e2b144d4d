// Time-outs of sockets: SO_RCVTIMEO and SO_SNDTIMEO (socket(7)).
#include <sys/time.h>

#include <ctime>
#include <vector>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

constexpr long patience_ms = 40;

void set_timeout(int fd, int option, long milliseconds) {
  const timeval time{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}

long timeout_of(int fd, int option) {
  timeval time{};
  socklen_t size = sizeof time;
  getsockopt(fd, SOL_SOCKET, option, &time, &size);
  return time.tv_sec * 1000 + time.tv_usec / 1000;
}

long monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// Does the call take as long as the time-out, in whatever time the clock tells?
template <class Call>
bool takes_its_time(Call call) {
  const auto before = monotonic_ms();
  call();
  return monotonic_ms() - before >= patience_ms - 1;
}

using server = bound<AF_UNIX, SOCK_STREAM>;

}  // namespace

TEST_CASE("a receiver whose time is up gets EAGAIN, and no earlier than it was told") {
  const auto seen = both<streams>({[](streams& w) {
    set_timeout(w.one, SO_RCVTIMEO, patience_ms);
    w.note(0, takes_its_time([&] { w.note(1, receive_one(w.one)); }));
    w.note(2, takes_its_time([&] { w.note(3, read_one(w.one)); }));
    w.note(4, timeout_of(w.one, SO_RCVTIMEO));
    w.note(5, timeout_of(w.one, SO_SNDTIMEO));
    w.note(6, receive_one(w.one, MSG_DONTWAIT));
    set_timeout(w.one, SO_RCVTIMEO, 0);
    send_text(w.other, "x");
    w.note(7, receive_one(w.one));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == -EAGAIN);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == -EAGAIN);
  CHECK(seen[4] == patience_ms);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == -EAGAIN);
  CHECK(seen[7] == 'x');
}

TEST_CASE("a receiver with time left gets what comes") {
  const auto seen = both<streams>({
      [](streams& w) {
        set_timeout(w.one, SO_RCVTIMEO, 1'000'000);
        w.next_call_waits();
        w.note(0, receive_one(w.one));
        w.call_has_ended();
      },
      [](streams& w) {
        w.await_waiter();
        send_text(w.other, "x");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'x');
}

TEST_CASE("what has come when the time is up is given, if all was asked for") {
  const auto seen = both<streams>({[](streams& w) {
    set_timeout(w.one, SO_RCVTIMEO, patience_ms);
    send_text(w.other, "ab");
    w.note(0, takes_its_time([&] { w.note(1, receive_few(w.one, 4, MSG_WAITALL)); }));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == letters("ab"));
}

TEST_CASE("a sender whose time is up says how much went, and then that nothing does") {
  const auto seen = both<streams>({[](streams& w) {
    set_timeout(w.one, SO_SNDTIMEO, patience_ms);
    const std::vector<char> bytes(2'000'000);
    long sent = 0;
    w.note(0, takes_its_time([&] { sent = send(w.one, bytes.data(), bytes.size(), 0); }));
    w.note(1, sent > 0 && sent < static_cast<long>(bytes.size()));
    w.note(2, takes_its_time([&] { w.note_error(3, send_text(w.one, "x")); }));
    w.note(4, timeout_of(w.one, SO_SNDTIMEO));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EAGAIN);
  CHECK(seen[4] == patience_ms);
}

TEST_CASE("accept and connect wait no longer than their sockets' time-outs") {
  const auto seen = both<server>({[](server& w) {
    listen(w.fd, 0);
    set_timeout(w.fd, SO_RCVTIMEO, patience_ms);
    w.note(0, takes_its_time([&] { w.note_error(1, accept(w.fd, nullptr, nullptr)); }));
    const auto first = w.client();
    const auto second = socket(AF_UNIX, SOCK_STREAM, 0);
    set_timeout(second, SO_SNDTIMEO, patience_ms);
    w.note(2, takes_its_time([&] { w.note_error(3, w.address.connect(second)); }));
    close(first);
    close(second);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == EAGAIN);
}

TEST_CASE("a receiver of UDP does not wait for ever for what nobody sends") {
  using world = bound<AF_INET, SOCK_DGRAM>;
  const auto seen = both<world>({[](world& w) {
    set_timeout(w.fd, SO_RCVTIMEO, patience_ms);
    w.note(0, takes_its_time([&] { w.note(1, receive_one(w.fd)); }));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == -EAGAIN);
}
