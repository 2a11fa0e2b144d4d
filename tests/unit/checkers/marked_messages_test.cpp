#include "checkers/marked_messages.hpp"

#include "checkers/words.hpp"
#include "framework/trace/fault.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct counter {
  trace_builder b;
  task_id client = b.task("client");
  task_id other = b.task("other client");
  task_id clerk = b.task("clerk");
  task_id helper = b.task("helper");
  resource_id orders = b.resource("orders", resource_kind::logical);
  resource_id returns = b.resource("returns", resource_kind::logical);

  std::size_t sends(task_id task, std::uint64_t number) {
    return b.does(task, operation::message_sent, orders, {.after = number});
  }
  std::size_t handles(task_id task, std::uint64_t number, bool any_order = false) {
    return b.does(task, operation::message_handled, orders,
                  {.before = any_order ? 1U : 0U, .after = number});
  }
  [[nodiscard]] std::vector<violation> found() const {
    return checkers::check_message(b.done(), {});
  }
};

TEST_CASE("messages that are handled once and in their order are fine") {
  counter c;
  for (const std::uint64_t number : {1, 2, 3}) c.sends(c.client, number);
  for (const std::uint64_t number : {1, 2, 3}) c.handles(number == 2 ? c.helper : c.clerk, number);
  CHECK(c.found().empty());
}

TEST_CASE("a message that is handled twice is told with both who did, and its second sending") {
  counter c;
  const bool resent = GENERATE(true, false);
  indices proof{c.sends(c.client, 7)};
  if (resent) proof.push_back(c.sends(c.client, 7));
  proof.push_back(c.handles(c.clerk, 7));
  proof.push_back(c.handles(c.helper, 7));
  c.handles(c.helper, 7);
  const auto found = c.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::message);
  CHECK(found[0].resource == "orders");
  CHECK(found[0].tasks == strings{"client", "clerk", "helper"});
  CHECK(found[0].evidence == proof);
  CHECK(found[0].message ==
        (resent ? "message 7 of orders was handled twice: by clerk at code.cpp:2, and by helper at "
                  "code.cpp:3; client had sent it again at code.cpp:1"
                : "message 7 of orders was handled twice: by clerk at code.cpp:1, and by helper at "
                  "code.cpp:2"));
}

TEST_CASE("the same number on two channels is two messages") {
  counter c;
  c.sends(c.client, 7);
  c.b.does(c.client, operation::message_sent, c.returns, {.after = 7});
  c.handles(c.clerk, 7);
  c.b.does(c.clerk, operation::message_handled, c.returns, {.after = 7});
  CHECK(c.found().empty());
}

TEST_CASE("a message that was overtaken by a later one of the same sender is told") {
  counter c;
  const bool one_sender = GENERATE(true, false);
  const bool any = GENERATE(false, true);
  const auto first = c.sends(c.client, 5);
  const auto second = c.sends(one_sender ? c.client : c.other, 4);
  const auto before = c.handles(c.helper, 4, any);
  const auto after = c.handles(c.clerk, 5, any);
  const auto found = c.found();
  REQUIRE(found.size() == (one_sender && !any ? 1 : 0));
  if (found.empty()) return;
  CHECK(found[0].evidence == indices{first, second, before, after});
  CHECK(found[0].message ==
        "message 5 of orders was overtaken: client sent it at code.cpp:0 before 4 at code.cpp:1, "
        "but helper handled 4 at code.cpp:2 before clerk handled it at code.cpp:3");
}

TEST_CASE("one that overtook is compared with all that come after it") {
  counter c;
  for (const std::uint64_t number : {1, 2, 3}) c.sends(c.client, number);
  c.handles(c.clerk, 3);
  c.handles(c.clerk, 1);
  c.handles(c.clerk, 2);
  REQUIRE(c.found().size() == 1);
  CHECK(contains(c.found()[0].message, "message 1 of orders was overtaken"));
  counter d;
  for (const std::uint64_t number : {1, 2, 3}) d.sends(d.client, number);
  d.handles(d.clerk, 1);
  d.handles(d.clerk, 3);
  d.handles(d.clerk, 2);
  REQUIRE(d.found().size() == 1);
  CHECK(contains(d.found()[0].message, "message 2 of orders was overtaken"));
}

TEST_CASE("a message that was sent again may be handled where it was sent again") {
  counter c;
  const bool again = GENERATE(true, false);
  c.sends(c.client, 1);
  c.sends(c.client, 2);
  if (again) c.sends(c.client, 1);
  c.handles(c.clerk, 2);
  c.handles(c.clerk, 1);
  CHECK(c.found().size() == (again ? 0 : 1));
}

TEST_CASE("one that was sent again does not hide what another one has overtaken") {
  counter c;
  for (const std::uint64_t number : {1, 9, 2, 1}) c.sends(c.client, number);
  for (const std::uint64_t number : {2, 1, 9}) c.handles(c.clerk, number);
  REQUIRE(c.found().size() == 1);
  CHECK(contains(c.found()[0].message, "message 9 of orders was overtaken"));
}

TEST_CASE("a sender may tell late that it sent a message, and the order is the same") {
  counter c;
  c.handles(c.clerk, 1);
  c.handles(c.clerk, 2);
  const bool same = GENERATE(true, false);
  c.sends(c.client, same ? 1 : 2);
  c.sends(c.client, same ? 2 : 1);
  CHECK(c.found().size() == (same ? 0 : 1));
}

TEST_CASE("a message that nobody handled until all ended is lost") {
  counter c;
  c.sends(c.client, 1);
  const auto lost = c.sends(c.client, 2);
  c.sends(c.client, 3);
  c.handles(c.clerk, 1);
  SECTION("at the end of all") {
    const auto found = c.found();
    REQUIRE(found.size() == 1);
    CHECK(found[0].evidence == indices{lost});
    CHECK(found[0].message ==
          "message 2 of orders was lost: client sent it at code.cpp:1, and nobody handled it");
  }
  SECTION("while others go on, it may still be handled") {
    c.b.raw().how = ending::stuck;
    CHECK(c.found().empty());
  }
  SECTION("a process that was killed by a fault may have had it") {
    c.b.does(c.helper, operation::fault, no_resource,
             {.before = static_cast<std::uint64_t>(fault_kind::kill)});
    REQUIRE(checkers::killed_by_fault(c.b.done()));
    CHECK(c.found().empty());
  }
}

TEST_CASE("what was handled and never sent is not judged but for being handled twice") {
  counter c;
  c.handles(c.clerk, 2);
  c.handles(c.clerk, 1);
  CHECK(c.found().empty());
  c.handles(c.clerk, 1);
  CHECK(c.found().size() == 1);
}

}  // namespace
