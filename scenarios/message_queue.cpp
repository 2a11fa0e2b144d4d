// POSIX message queues are short, and a receiver must have room for the longest message there can
// be (mq_overview(7), mq_receive(3)).
#include "forkloom/ipc/message_queue.hpp"

#include <mqueue.h>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;
using forkloom::ipc::message_queue;

namespace {

// Two queues of one message each. Their names go at once: the processes inherit the descriptors.
struct counter {
  message_queue requests = message_queue::create("/requests", {.messages_max = 1});
  message_queue replies = message_queue::create("/replies", {.messages_max = 1});

  counter() {
    message_queue::unlink("/requests");
    message_queue::unlink("/replies");
  }

  void serve(int customers) {
    for (int i = 0; i < customers; ++i) replies.send(requests.receive().text + "!");
  }
};

// One request more than both queues and the server's hands can hold.
constexpr int request_count = 4;

constexpr std::string_view order = "two loaves of rye bread";

void write_order(mqd_t orders) {
  expect(that(::mq_send(orders, order.data(), order.size(), 0)) == 0);
}

// What the call left in the buffer, whether or not it succeeded.
std::string read_order(mqd_t orders, std::span<char> buffer) {
  static_cast<void>(::mq_receive(orders, buffer.data(), buffer.size(), nullptr));
  return buffer.data();
}

}  // namespace

FORKLOOM_SCENARIO("a client that sends all requests before it reads a reply",
                  "[message_queue][deadlock][broken]", .expects = {violation_kind::deadlock}) {
  counter c;
  scenario.process("client", [&] {
    for (int i = 0; i < request_count; ++i) c.requests.send("?");
    for (int i = 0; i < request_count; ++i) expect(c.replies.receive().text == "?!");
  });
  scenario.process("server", [&] { c.serve(request_count); });
}

FORKLOOM_SCENARIO("a client that reads each reply before the next request",
                  "[message_queue][correct]") {
  counter c;
  scenario.process("client", [&] {
    for (int i = 0; i < request_count; ++i) {
      c.requests.send("?");
      expect(c.replies.receive().text == "?!");
    }
  });
  scenario.process("server", [&] { c.serve(request_count); });
}

FORKLOOM_SCENARIO("a receiver with a small buffer who ignores the error",
                  "[message_queue][expectation][broken]",
                  .expects = {violation_kind::expectation}) {
  auto orders = message_queue::create("/orders", {.message_bytes_max = 64});
  message_queue::unlink("/orders");
  scenario.process("customer", [&] { write_order(orders.native_handle()); });
  scenario.process("baker", [&] {
    std::array<char, order.size() + 1> buffer{};  // enough for this order, but not for the queue
    expect(that(read_order(orders.native_handle(), buffer)) == order);
  });
}

FORKLOOM_SCENARIO("a receiver who asks how long messages may be", "[message_queue][correct]") {
  auto orders = message_queue::create("/orders", {.message_bytes_max = 64});
  message_queue::unlink("/orders");
  scenario.process("customer", [&] { write_order(orders.native_handle()); });
  scenario.process("baker", [&] {
    mq_attr queue{};
    ::mq_getattr(orders.native_handle(), &queue);
    std::vector<char> buffer(static_cast<std::size_t>(queue.mq_msgsize) + 1);
    expect(that(read_order(orders.native_handle(), buffer)) == order);
  });
}
