// Messages that must be handled once, and in order, told by their numbers (forkloom/messages.hpp).
//
// Broken: a client sends its order again when no answer came in time, though the order had arrived;
// two workers take the orders of one client, and the second overtakes the first; a shop closes with
// an order that it has taken. Correct: the shop knows what it has carried out; the next order is
// taken when the last one is carried out; or their order does not matter; the shop closes later.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/pipe.hpp"
#include "forkloom/messages.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::message_order;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr int patience_ms = 100;
constexpr const char* orders = "orders";

// An order is a byte, its number, and so is what confirms it.
struct shop {
  forkloom::ipc::pipe counter;
  forkloom::ipc::pipe receipts;
  forkloom::shared<long>& sold;

  explicit shop(forkloom::scenario& scenario) : sold(scenario.shared<long>("sold")) {}

  void order(unsigned char number) {
    expect(that(::write(counter.writer().native_handle(), &number, 1)) == 1);
    forkloom::message_sent(orders, number);
  }

  [[nodiscard]] bool receipt_comes() {
    pollfd one{receipts.reader().native_handle(), POLLIN, 0};
    return ::poll(&one, 1, patience_ms) == 1;
  }

  [[nodiscard]] unsigned char next() {
    unsigned char number = 0;
    return ::read(counter.reader().native_handle(), &number, 1) == 1 ? number : 0;
  }

  void carry_out(unsigned char number, message_order kept = message_order::of_sender) {
    forkloom::message_handled(orders, number, kept);
    sold += number;
  }

  void confirm(unsigned char number) {
    static_cast<void>(::write(receipts.writer().native_handle(), &number, 1));
  }
};

void order_until_confirmed(shop& s) {
  s.receipts.reader();
  do s.order(1);
  while (!s.receipt_comes());
}

}  // namespace

FORKLOOM_SCENARIO("an order that is sent again after a time-out",
                  "[pipe][message][faults][timeout][broken]", .faults = "timeout:1",
                  .expects = {violation_kind::message}) {
  shop s(scenario);
  scenario.process("client", [&] { order_until_confirmed(s); });
  scenario.process("clerk", [&] {
    ::signal(SIGPIPE, SIG_IGN);  // the client may have gone
    while (const auto number = s.next()) {
      s.carry_out(number);
      s.confirm(number);
    }
  });
}

FORKLOOM_SCENARIO("an order that is carried out once, however often it is sent",
                  "[pipe][message][faults][timeout][correct]", .faults = "timeout:2") {
  shop s(scenario);
  scenario.process("client", [&] { order_until_confirmed(s); });
  scenario.process("clerk", [&] {
    ::signal(SIGPIPE, SIG_IGN);
    unsigned char done = 0;
    while (const auto number = s.next()) {
      if (number > done) s.carry_out(number);
      done = number;
      s.confirm(number);
    }
  });
  scenario.finally([&] { expect(s.sold == 1); });
}

namespace {

void send_two(shop& s) {
  s.order(1);
  s.order(2);
}

}  // namespace

FORKLOOM_SCENARIO("two workers of whom one may overtake the other", "[pipe][message][broken]",
                  .expects = {violation_kind::message}) {
  shop s(scenario);
  auto& till = scenario.make<forkloom::ipc::mutex>("till");
  scenario.process("client", [&] { send_two(s); });
  scenario.processes("worker", 2, [&] {
    const auto number = s.next();
    const std::scoped_lock guard{till};
    s.carry_out(number);
  });
}

FORKLOOM_SCENARIO("two workers who take an order under the lock under which they carry it out",
                  "[pipe][message][correct]") {
  shop s(scenario);
  auto& till = scenario.make<forkloom::ipc::mutex>("till");
  scenario.process("client", [&] { send_two(s); });
  scenario.processes("worker", 2, [&] {
    const std::scoped_lock guard{till};
    s.carry_out(s.next());
  });
  scenario.finally([&] { expect(s.sold == 3); });
}

FORKLOOM_SCENARIO("two workers whose orders may be carried out in any order",
                  "[pipe][message][correct]") {
  shop s(scenario);
  auto& till = scenario.make<forkloom::ipc::mutex>("till");
  scenario.process("client", [&] { send_two(s); });
  scenario.processes("worker", 2, [&] {
    const auto number = s.next();
    const std::scoped_lock guard{till};
    s.carry_out(number, message_order::any);
  });
  scenario.finally([&] { expect(s.sold == 3); });
}

namespace {

// Carries out what it has taken, if the shop is still open then.
void work_until_closed(shop& s, const forkloom::shared<bool>& closed) {
  const auto number = s.next();
  if (!closed) s.carry_out(number);
}

}  // namespace

FORKLOOM_SCENARIO("a shop that closes with an order that it has taken", "[pipe][message][broken]",
                  .expects = {violation_kind::message}) {
  shop s(scenario);
  auto& closed = scenario.shared<bool>("closed");
  scenario.process("client", [&] { s.order(1); });
  scenario.process("worker", [&] { work_until_closed(s, closed); });
  scenario.process("owner", [&] { closed = true; });
}

FORKLOOM_SCENARIO("a shop that closes when its orders are carried out",
                  "[pipe][message][correct]") {
  shop s(scenario);
  auto& closed = scenario.shared<bool>("closed");
  forkloom::ipc::pipe done;
  scenario.process("client", [&] { s.order(1); });
  scenario.process("worker", [&] {
    work_until_closed(s, closed);
    const char nothing = 0;
    expect(that(::write(done.writer().native_handle(), &nothing, 1)) == 1);
  });
  scenario.process("owner", [&] {
    char nothing = 1;
    expect(that(::read(done.reader().native_handle(), &nothing, 1)) == 1);
    closed = true;
  });
}
