// Reports call each handle by its name: the one given to make(), the path, or the system's name.
#include <fcntl.h>
#include <mqueue.h>

#include <mutex>

#include "forkloom/forkloom.hpp"
#include "framework/explore/campaign.hpp"
#include "tests/catch.hpp"
#include "tests/integration/ipc/unique_name.hpp"

namespace {

using forkloom::scenario;
using forkloom::violation;
using forkloom::violation_kind;
using namespace forkloom::ipc;
using mutex = forkloom::ipc::mutex;

// The first violation of a scenario that has one in every execution.
violation violation_of(void (*body)(scenario&)) {
  forkloom::scenario_info info{.name = "a handle's name",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body = body,
                               .defaults = {}};
  info.defaults.executions = 1;
  const auto result = forkloom::explore::run_campaign(info, info.defaults);
  CAPTURE(result.message);
  REQUIRE(result.findings.size() == 1);
  return result.findings[0].violations.at(0);
}

// The resource of a deadlock.
std::string deadlocked_on(void (*body)(scenario&)) {
  const auto found = violation_of(body);
  CHECK(found.kind == violation_kind::deadlock);
  CHECK_THAT(found.message, Catch::Contains(found.resource));
  return found.resource;
}

std::string fifo_path() {
  static const auto path = "/tmp/" + forkloom::tests::unique_name();
  return path;
}

}  // namespace

TEST_CASE("a deadlock names the mutex") {
  CHECK(deadlocked_on([](scenario& scenario) {
          auto& m = scenario.make<mutex>("till lock");
          scenario.process("clerk", [&] {
            m.lock();
            m.lock();
          });
        }) == "till lock");
}

TEST_CASE("a deadlock names the condition variable") {
  CHECK(deadlocked_on([](scenario& scenario) {
          auto& m = scenario.make<mutex>("door lock");
          auto& c = scenario.make<condition>("doorbell");
          scenario.process("porter", [&] {
            std::unique_lock lock{m};
            c.wait(lock);
          });
        }) == "doorbell");
}

TEST_CASE("a deadlock names the semaphore") {
  CHECK(deadlocked_on([](scenario& scenario) {
          auto& s = scenario.make<semaphore>("free places", 0U);
          scenario.process("guest", [&] { s.acquire(); });
        }) == "free places");
}

TEST_CASE("a deadlock names the named semaphore by its own name") {
  CHECK(deadlocked_on([](scenario& scenario) {
          scenario.process("guest", [&] {
            auto s = named_semaphore::create("/tables", 0);
            named_semaphore::unlink("/tables");
            s.acquire();
          });
        }) == "/tables");
}

TEST_CASE("a deadlock names the message queue by its own name") {
  CHECK(deadlocked_on([](scenario& scenario) {
          scenario.process("cook", [] {
            auto orders = message_queue::create("/orders");
            message_queue::unlink("/orders");
            (void)orders.receive();
          });
        }) == "/orders");
}

TEST_CASE("a deadlock of a receiver tells who could send, and that nobody else can") {
  const auto found = violation_of([](scenario& scenario) {
    for (const auto* name : {"/orders", "/meals"}) (void)message_queue::create(name);
    scenario.process("guest", [] {
      auto from = message_queue::open("/meals", message_queue::access::receive);
      auto to = message_queue::open("/orders", message_queue::access::send);
      (void)from.receive();
      to.send("soup");
    });
    scenario.process("cook", [] {
      auto from = message_queue::open("/orders", message_queue::access::receive);
      auto to = message_queue::open("/meals", message_queue::access::send);
      (void)from.receive();
      to.send("soup");
    });
  });
  CHECK(found.kind == violation_kind::deadlock);
  CHECK_THAT(found.message,
             Catch::Contains("guest waits for /meals that only cook could release") &&
                 Catch::Contains("cook waits for /orders that only guest could release"));
}

TEST_CASE("a message queue that a process left behind is told with its name and its maker") {
  const auto found = violation_of([](scenario& scenario) {
    auto old = message_queue::create("/old");
    message_queue::unlink("/old");
    scenario.process("clerk", [] { (void)message_queue::create("/sem.orders"); });
    scenario.finally([] {});
  });
  CHECK(found.kind == violation_kind::leak);
  CHECK(found.resource == "/sem.orders");
  CHECK_THAT(found.message,
             Catch::StartsWith("message queue /sem.orders was left behind by clerk"));
}

TEST_CASE(
    "a message queue that the scenario left behind is told, and not blamed on who opened it") {
  const auto found = violation_of([](scenario& scenario) {
    auto made = message_queue::create("/orders");
    scenario.process("clerk", [] {
      mq_close(mq_open("/orders", O_RDWR | O_CREAT, 0600, nullptr));  // it is there already
    });
    scenario.finally([] {});
  });
  CHECK(found.kind == violation_kind::leak);
  CHECK(found.message ==
        "message queue /orders was left behind; the trace does not tell who made it");
}

TEST_CASE("a deadlock names the FIFO by its path") {
  CHECK(deadlocked_on([](scenario& scenario) {
          auto& f = scenario.make<fifo>("orders", fifo_path());
          scenario.process("cook", [&] { (void)f.open_reader(); });
        }) == fifo_path());
}

TEST_CASE("a deadlock numbers the pipe, which has no name") {
  CHECK(deadlocked_on([](scenario& scenario) {
          forkloom::ipc::pipe p;
          scenario.process("reader", [&] { (void)p.read_end().read_exactly(1); });
          scenario.finally([] {});
        }) == "pipe 1");
}

TEST_CASE("an exception that a handle throws is reported with what it was about") {
  const auto found = violation_of([](scenario& scenario) {
    scenario.process("guest", [] { (void)named_semaphore::open("/nobody"); });
  });
  CHECK(found.kind == violation_kind::crash);
  CHECK_THAT(found.message,
             Catch::Contains("opening the semaphore /nobody: No such file or directory"));
}
