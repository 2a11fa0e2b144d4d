#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

TEST_CASE("a judged history becomes a violation whose evidence are the responses") {
  trace_builder b;
  const auto client = b.task("client 0");
  const auto call = b.resource("pop()", resource_kind::logical);
  b.does(client, operation::request, call);
  const auto answer = b.does(client, operation::grant, call);
  b.ends(client);
  auto what = b.done();
  CHECK(checkers::check_not_linearizable(what, {}).empty());
  what.histories.push_back({.object = "queue",
                            .message = "queue is not linearizable",
                            .tasks = {"client 0"},
                            .details = {"client 0"}});
  const auto found = checkers::check_not_linearizable(what, {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::not_linearizable);
  CHECK(found[0].message == "queue is not linearizable");
  CHECK(found[0].resource == "queue");
  CHECK(found[0].tasks == strings{"client 0"});
  CHECK(found[0].evidence == std::vector<std::size_t>{answer});
}

}  // namespace
