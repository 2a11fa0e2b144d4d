// What sockets order.
#include <cerrno>

#include "framework/trace/vector_clock.hpp"
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
  resource_id x = b.memory("x");

  [[nodiscard]] bool ordered(std::size_t first, std::size_t second) const {
    return happens_before(b.done(), vector_clocks(b.done()), first, second);
  }

  std::size_t sends(task_id task, resource_id from, resource_id to) {
    return b.does(task, operation::send, from, {.result = 1, .second = to});
  }
  std::size_t receives(task_id task, resource_id at, std::int64_t bytes = 1) {
    return b.does(task, operation::receive, at, {.result = bytes});
  }
};

}  // namespace

TEST_CASE("a send happens before the receive at the socket that it was for") {
  connection c;
  const auto before = c.b.store(c.one, c.x, 0, 1);
  c.sends(c.one, c.near, c.far);
  const auto too_late = c.b.store(c.one, c.x, 1, 2);
  c.receives(c.other, c.far);
  const auto after = c.b.load(c.other, c.x, 2);
  CHECK(c.ordered(before, after));
  CHECK_FALSE(c.ordered(too_late, after));
}

TEST_CASE("the two directions of a connection order nothing between them") {
  connection c;
  const auto sent = c.sends(c.one, c.near, c.far);
  const auto answer = c.sends(c.other, c.far, c.near);
  const auto received = c.receives(c.one, c.near);
  CHECK_FALSE(c.ordered(sent, answer));
  CHECK(c.ordered(answer, received));
}

TEST_CASE("a receive makes room, which a later send to there may need") {
  connection c;
  const auto received = c.receives(c.other, c.far);
  const auto sent = c.sends(c.one, c.near, c.far);
  CHECK(c.ordered(received, sent));
}

TEST_CASE("two senders to one socket are not ordered") {
  connection c;
  const auto third = c.b.resource("third", resource_kind::socket);
  const auto first = c.sends(c.one, c.near, c.far);
  const auto second = c.sends(c.other, third, c.far);
  CHECK_FALSE(c.ordered(first, second));
}

TEST_CASE("a listen happens before a connect, and that before the accept, if it only began") {
  connection c;
  const auto listens = c.b.does(c.other, operation::listen, c.far);
  const auto connects = c.b.does(c.one, operation::connect, c.near,
                                 {.result = -1, .error = EINPROGRESS, .second = c.far});
  const auto refused = c.b.does(c.one, operation::connect, c.near,
                                {.result = -1, .error = ECONNREFUSED, .second = c.far});
  const auto accepts = c.b.does(c.other, operation::accept, c.far, {.result = 5});
  CHECK(c.ordered(listens, connects));
  CHECK(c.ordered(connects, accepts));
  CHECK_FALSE(c.ordered(refused, accepts));
}

TEST_CASE("whoever finds the end of the data comes after the close or shutdown of the peer") {
  for (const auto op : {operation::close, operation::shutdown}) {
    connection c;
    const auto ends = c.b.does(c.one, op, c.near, {.second = c.far});
    const auto end_of_data = c.receives(c.other, c.far, 0);
    CHECK(c.ordered(ends, end_of_data));
  }
}
