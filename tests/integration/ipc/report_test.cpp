// Reports call each handle by its name: the one given to make(), the path, or the system's name.
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
