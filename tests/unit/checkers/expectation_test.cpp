#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using checkers::check_expectation;

TEST_CASE("a failed expectation is told with its task, place and values") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  b.does(teller, operation::yield);
  const auto proof = b.does(teller, operation::expect);
  b.raw().failures.push_back(
      {.task = teller, .step = proof, .file = "bank.cpp", .line = 12, .text = "150 == 160"});

  const auto found = check_expectation(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::expectation);
  CHECK(found[0].message == "an expectation of teller 0 failed at bank.cpp:12: 150 == 160");
  CHECK(found[0].tasks == strings{"teller 0"});
  CHECK(found[0].evidence == indices{proof});
}

TEST_CASE("an expectation in finally is the scenario's own, and no event shows it") {
  trace_builder b;
  b.task("teller 0");
  b.raw().failures.push_back({.file = "bank.cpp", .line = 20, .text = "150 == 160"});
  const auto found = check_expectation(b.done(), {});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "an expectation of the scenario failed at bank.cpp:20: 150 == 160");
  CHECK(found[0].evidence.empty());
}

TEST_CASE("an exception is no failed expectation") {
  trace_builder b;
  const auto teller = b.task("teller 0");
  b.raw().failures.push_back({.kind = failure_record::what::exception, .task = teller});
  CHECK(check_expectation(b.done(), {}).empty());
}

}  // namespace
