#include "framework/explore/result_json.hpp"

#include "forkloom/error.hpp"
#include "framework/trace/json.hpp"
#include "tests/catch.hpp"
#include "tests/unit/trace/sample_trace.hpp"

namespace {

using namespace forkloom;
using explore::campaign_result;
using json = nlohmann::json;

campaign_result sample() {
  campaign_result result;
  result.scenario = "two tellers";
  result.strategy = "pct:3";
  result.guarantee = "finds it";
  result.conclusion = "found it";
  result.seed = ~std::uint64_t{0};
  result.executions = 12;
  result.steps = 345;
  result.switches = 67;
  result.seconds = 0.5;
  result.isolation = "private namespaces";
  result.expected = {violation_kind::leak, violation_kind::crash};
  result.findings.push_back(
      {.violations = {{.kind = violation_kind::crash, .message = "died"}},
       .execution = 11,
       .occurrences = 4,
       .token = "fl1-x",
       .replays = 3,
       .reproduced = 2,
       .divergence = "at step 5",
       .shrunk = explore::shrinking{.original = "fl1-y",
                                    .executions = 77,
                                    .complete = true,
                                    .before = {9, 1, 12, 40},
                                    .after = {1, 2, 3, 30},
                                    .preemptions = {{5, task_id{1}, task_id{0}, 4}},
                                    .critical_step = 6,
                                    .continuations = 20},
       .what_happened = tests::sample_trace()});
  result.how = explore::verdict::violated;
  result.message = "not expected";
  result.uncontrolled = {"recvmsg, 3 times"};
  result.coverage = {
      .classes = 7, .orderings = 8, .lock_states = 9, .last_new = 10, .saturated = true};
  result.estimates = {.known = true,
                      .schedules_log2 = 12.5,
                      .classes = 7.5,
                      .new_class = 0.25,
                      .more_for_classes = 30,
                      .failed = 4,
                      .failure = 0.5,
                      .failure_low = 0.125,
                      .failure_high = 0.75,
                      .executions_to_see = 6};
  result.hashes = {{.seed = ~std::uint64_t{0}, .steps = 9, .hash = ~std::uint64_t{1}}};
  return result;
}

}  // namespace

TEST_CASE("a campaign's result keeps every field on its way to the caller", "[json]") {
  const auto after = json::from_cbor(json::to_cbor(json(sample()))).get<campaign_result>();
  CHECK(after.scenario == "two tellers");
  CHECK(after.strategy == "pct:3");
  CHECK(after.guarantee == "finds it");
  CHECK(after.conclusion == "found it");
  CHECK(after.seed == ~std::uint64_t{0});
  CHECK(after.executions == 12);
  CHECK(after.steps == 345);
  CHECK(after.switches == 67);
  CHECK(after.seconds == 0.5);
  CHECK(after.isolation == "private namespaces");
  CHECK(after.expected == sample().expected);
  CHECK(after.how == explore::verdict::violated);
  CHECK(after.message == "not expected");
  CHECK(after.uncontrolled == sample().uncontrolled);
  CHECK(after.coverage.classes == 7);
  CHECK(after.coverage.orderings == 8);
  CHECK(after.coverage.lock_states == 9);
  CHECK(after.coverage.last_new == 10);
  CHECK(after.coverage.saturated);
  CHECK(after.estimates.known);
  CHECK(after.estimates.schedules_log2 == 12.5);
  CHECK(after.estimates.classes == 7.5);
  CHECK(after.estimates.new_class == 0.25);
  CHECK(after.estimates.more_for_classes == 30);
  CHECK(after.estimates.failed == 4);
  CHECK(after.estimates.failure == 0.5);
  CHECK(after.estimates.failure_low == 0.125);
  CHECK(after.estimates.failure_high == 0.75);
  CHECK(after.estimates.executions_to_see == 6);
  REQUIRE(after.hashes.size() == 1);
  CHECK(after.hashes[0].seed == ~std::uint64_t{0});
  CHECK(after.hashes[0].steps == 9);
  CHECK(after.hashes[0].hash == ~std::uint64_t{1});
}

TEST_CASE("a finding keeps every field on its way to the caller", "[json]") {
  const auto after = json::from_cbor(json::to_cbor(json(sample()))).get<campaign_result>();
  REQUIRE(after.findings.size() == 1);
  const auto& finding = after.findings[0];
  CHECK(finding.violations == sample().findings[0].violations);
  CHECK(finding.execution == 11);
  CHECK(finding.occurrences == 4);
  CHECK(finding.token == "fl1-x");
  CHECK(finding.replays == 3);
  CHECK(finding.reproduced == 2);
  CHECK(finding.divergence == "at step 5");
  REQUIRE(finding.shrunk);
  CHECK(finding.shrunk->original == "fl1-y");
  CHECK(finding.shrunk->executions == 77);
  CHECK(finding.shrunk->complete);
  CHECK(finding.shrunk->before.preemptions == 9);
  CHECK(finding.shrunk->before.faults == 1);
  CHECK(finding.shrunk->before.switches == 12);
  CHECK(finding.shrunk->before.steps == 40);
  CHECK(finding.shrunk->after.steps == 30);
  REQUIRE(finding.shrunk->preemptions.size() == 1);
  CHECK(finding.shrunk->preemptions[0].step == 5);
  CHECK(finding.shrunk->preemptions[0].from == task_id{1});
  CHECK(finding.shrunk->preemptions[0].to == task_id{0});
  CHECK(finding.shrunk->preemptions[0].event == 4);
  CHECK(finding.shrunk->critical_step == 6);
  CHECK(finding.shrunk->continuations == 20);
  CHECK(json(finding.what_happened) == json(tests::sample_trace()));
}

TEST_CASE("a finding that was not shrunk says nothing of it", "[json]") {
  auto plain = sample();
  plain.findings[0].shrunk.reset();
  CHECK_FALSE(json(plain).get<campaign_result>().findings[0].shrunk);
}

TEST_CASE("a result of a kind that does not exist is refused", "[json]") {
  auto damaged = json(sample());
  damaged["expected"][0] = "boredom";
  CHECK_THROWS_WITH(damaged.get<campaign_result>(),
                    "\"expected\" has 'boredom', which is no kind of violation");
}
