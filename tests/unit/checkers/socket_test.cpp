// What the checkers make of sockets.
#include "checkers/checker.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct connection {
  trace_builder b;
  task_id one = b.task("one");
  task_id other = b.task("other");
  resource_id near = b.resource("near", resource_kind::socket);
  resource_id far = b.resource("far", resource_kind::socket);
};

}  // namespace

TEST_CASE("two peers that each wait to receive make up a cycle") {
  connection c;
  c.b.waits(c.one, operation::receive, c.near, {c.other});
  c.b.waits(c.other, operation::receive, c.far, {c.one});
  c.b.raw().how = ending::stuck;
  const auto found = checkers::check_deadlock(c.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"one", "other"});
}

TEST_CASE("a wait at a socket that nobody can end says what is missing") {
  const auto missing = [](operation op) {
    connection c;
    c.b.waits(c.one, op, c.near, {});
    c.b.raw().how = ending::stuck;
    return checkers::check_deadlock(c.b.done(), {}).at(0).message;
  };
  CHECK(contains(missing(operation::accept), "a connection that nobody makes"));
  CHECK(contains(missing(operation::connect), "a listener that accepts nobody"));
  CHECK(contains(missing(operation::receive), "a peer that sends nothing"));
  CHECK(contains(missing(operation::send), "a peer that receives nothing"));
}

TEST_CASE(
    "sockets that are made, accepted or come in a message are leaked unless they are closed") {
  connection c;
  c.b.does(c.one, operation::socket, c.near, {.result = 5});
  c.b.does(c.one, operation::accept, c.near, {.result = 6, .second = c.far});
  c.b.does(c.one, operation::dup, c.far, {.result = 7, .before = ~std::uint64_t{0}});
  c.b.does(c.one, operation::close, c.near, {.before = 5});
  c.b.ends(c.one);
  const auto found = checkers::check_leak(c.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "2 descriptors open"));
  CHECK(tells(found[0], "descriptor 6 opened"));
  CHECK(tells(found[0], "descriptor 7 opened"));
}

TEST_CASE("a socket file that is left behind is told with who bound it") {
  connection c;
  const auto name = c.b.resource("server", resource_kind::directory_entry);
  c.b.does(c.one, operation::bind, c.near, {.second = name});
  c.b.raw().leftovers = {{"socket server", name}};
  const auto found = checkers::check_leak(c.b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].tasks == strings{"one"});
}
