// Calls that fail, and programs that go on as if they had not (pthread_mutex_trylock(3),
// mq_receive(3), mq_open(3)).
#include <mqueue.h>
#include <pthread.h>

#include <cerrno>
#include <string_view>
#include <vector>

#include "forkloom/ipc/message_queue.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

using forkloom::violation_kind;
using forkloom::ipc::message_queue;
using forkloom::ipc::mutex;

namespace {

struct counter {
  mutex lock{mutex::kind::errorcheck};
  forkloom::shared<int> visitors{0};
};

constexpr std::string_view order = "two loaves of rye bread";

struct bakery {
  message_queue orders = message_queue::create("/orders", {.message_bytes_max = 64});
  forkloom::shared<int>& loaves;

  explicit bakery(forkloom::scenario& scenario) : loaves(scenario.shared<int>("loaves", 10)) {
    message_queue::unlink("/orders");
  }

  [[nodiscard]] bool take_order(std::vector<char>& buffer) const {
    return ::mq_receive(orders.native_handle(), buffer.data(), buffer.size(), nullptr) >= 0;
  }
};

}  // namespace

FORKLOOM_SCENARIO("a reader that unlocks what it failed to lock", "[mutex][unchecked][broken]",
                  .expects = {violation_kind::unchecked_failure}) {
  auto& c = scenario.make<counter>("counter");
  scenario.processes("reader", 2, [&] {
    ::pthread_mutex_trylock(c.lock.native_handle());
    static_cast<void>(c.visitors.load());
    ::pthread_mutex_unlock(c.lock.native_handle());
  });
}

FORKLOOM_SCENARIO("a reader that leaves if it fails to lock", "[mutex][unchecked][correct]") {
  auto& c = scenario.make<counter>("counter");
  scenario.processes("reader", 2, [&] {
    if (::pthread_mutex_trylock(c.lock.native_handle()) != 0) return;
    static_cast<void>(c.visitors.load());
    ::pthread_mutex_unlock(c.lock.native_handle());
  });
}

FORKLOOM_SCENARIO("a baker who bakes whether or not the order came",
                  "[message_queue][unchecked][broken]",
                  .expects = {violation_kind::unchecked_failure}) {
  bakery b(scenario);
  scenario.process("customer", [&] { b.orders.send(order); });
  scenario.process("baker", [&] {
    std::vector<char> buffer(order.size());  // enough for this order, but not for the queue
    static_cast<void>(b.take_order(buffer));
    b.loaves -= 2;
  });
}

FORKLOOM_SCENARIO("a baker who gets a larger buffer", "[message_queue][unchecked][correct]") {
  bakery b(scenario);
  scenario.process("customer", [&] { b.orders.send(order); });
  scenario.process("baker", [&] {
    std::vector<char> buffer(order.size());
    while (!b.take_order(buffer) && errno == EMSGSIZE) buffer.resize(2 * buffer.size());
    b.loaves -= 2;
  });
}

FORKLOOM_SCENARIO("a customer who may come before the queue is made",
                  "[message_queue][unchecked][broken]",
                  .expects = {violation_kind::unchecked_failure}) {
  scenario.process("baker", [] {
    const auto orders = ::mq_open("/counter", O_CREAT | O_EXCL | O_WRONLY, 0600, nullptr);
    ::mq_close(orders);
    ::mq_unlink("/counter");
  });
  scenario.process("customer", [] {
    const auto orders = ::mq_open("/counter", O_WRONLY);
    mq_attr room{};
    ::mq_getattr(orders, &room);
    ::mq_close(orders);
  });
}

FORKLOOM_SCENARIO("a customer who goes away if there is no queue",
                  "[message_queue][unchecked][correct]") {
  scenario.process("baker", [] {
    const auto orders = ::mq_open("/counter", O_CREAT | O_EXCL | O_WRONLY, 0600, nullptr);
    ::mq_close(orders);
    ::mq_unlink("/counter");
  });
  scenario.process("customer", [] {
    const auto orders = ::mq_open("/counter", O_WRONLY);
    if (orders < 0) return;
    ::mq_close(orders);
  });
}
