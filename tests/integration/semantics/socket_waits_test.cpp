// Who is named as the one that a task waits for at a socket, in executions that really deadlock.
#include <string>

#include "forkloom/scenario.hpp"
#include "framework/explore/campaign.hpp"
#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;
using forkloom::scenario;

forkloom::explore::campaign_result explore_once(void (*body)(scenario&)) {
  forkloom::scenario_info info{.name = "waits",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body = body,
                               .defaults = {}};
  info.defaults.executions = 1;
  return forkloom::explore::run_campaign(info, info.defaults);
}

// All that is found in one execution.
std::string found_in(void (*body)(scenario&)) {
  const auto result = explore_once(body);
  CAPTURE(result.message);
  REQUIRE(result.findings.size() == 1);
  std::string all;
  for (const auto& v : result.findings[0].violations) all += v.message + "\n";
  return all;
}

bool tells(const std::string& found, const std::string& part) {
  INFO(found);
  return found.find(part) != std::string::npos;
}

void let_go(std::initializer_list<int> descriptors) {
  for (const auto fd : descriptors) close(fd);
}

}  // namespace

TEST_CASE("a receiver waits for those who have its peer, not for those who have closed it") {
  const auto found = found_in([](scenario& scenario) {
    auto& there = scenario.make<streams>("there");
    auto& back = scenario.make<streams>("back");
    scenario.process("reader", [&] {
      let_go({there.other, back.one});
      receive_one(there.one);
    });
    scenario.process("holder", [&] {
      let_go({there.one, back.other});
      receive_one(back.one);
    });
    scenario.process("bystander", [&] {
      let_go({there.one, there.other, back.one});
      receive_one(back.other);
    });
  });
  CHECK(tells(found, "reader waits for socket 1 that only holder could release"));
}

TEST_CASE("a sender waits for those who can receive what it sends") {
  const auto found = found_in([](scenario& scenario) {
    auto& pair = scenario.make<streams>("pair");
    scenario.process("sender", [&] {
      close(pair.other);
      const std::string bytes(2'000'000, 'x');
      send(pair.one, bytes.data(), bytes.size(), 0);
    });
    scenario.process("other sender", [&] {
      close(pair.one);
      const std::string bytes(2'000'000, 'x');
      send(pair.other, bytes.data(), bytes.size(), 0);
    });
  });
  CHECK(tells(found, "sender waits for socket 2 that only other sender could release"));
  CHECK(tells(found, "other sender waits for socket 1 that only sender could release"));
}

TEST_CASE("a client that nobody accepts waits for who listens") {
  const auto found = found_in([](scenario& scenario) {
    auto& server = scenario.make<bound<AF_UNIX, SOCK_STREAM>>("server");
    auto& order = scenario.make<streams>("order");
    scenario.process("client", [&] {
      close(order.one);
      const auto talk = server.client();
      close(server.fd);
      receive_one(talk);
      send_text(order.other, "now accept me");
    });
    scenario.process("server", [&] {
      close(order.other);
      receive_one(order.one);
      accept(server.fd, nullptr, nullptr);
    });
  });
  CHECK(tells(found, "that only server could release"));
  CHECK(tells(found, "that only client could release"));
}

TEST_CASE("a peer outside of the execution is not waited for, and that is said") {
  static const streams inherited;  // its other end is this test's
  const auto result = explore_once(
      [](scenario& scenario) { scenario.process("guest", [] { receive_one(inherited.one); }); });
  CHECK(result.how == forkloom::explore::verdict::error);
  CHECK(tells(result.message, "guest is not under control: it sleeps in receive"));
}

TEST_CASE("what a peer outside of the execution has sent before is received") {
  static const streams inherited;
  send_text(inherited.other, "x");
  const auto result = explore_once([](scenario& scenario) {
    scenario.process("guest", [] { forkloom::expect(receive_one(inherited.one) == 'x'); });
  });
  INFO(result.message);
  CHECK(result.how == forkloom::explore::verdict::as_expected);
  CHECK(result.uncontrolled.empty());
}
