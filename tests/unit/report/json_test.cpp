#include "framework/report/json.hpp"

#include <array>

#include "tests/catch.hpp"
#include "tests/unit/report/sample_results.hpp"

using namespace forkloom;
using json = nlohmann::json;

TEST_CASE("a result has the fields of the contract", "[report]") {
  const auto all =
      report::results_json(std::array{tests::campaign_with(tests::lost_update())}).at("scenarios");
  REQUIRE(all.size() == 1);
  const auto& result = all[0];
  CHECK(result.at("name") == "a scenario");
  CHECK(result.at("strategy") == "random");
  CHECK(result.at("seed") == 1);
  CHECK(result.at("executions") == 7);
  CHECK(result.at("steps") == 28);
  CHECK(result.at("switches") == 20);
  CHECK(result.at("seconds") == 0.5);
  CHECK(result.at("executions_per_second") == 14.0);
  CHECK(result.at("as_expected") == false);
  CHECK(result.at("error").is_null());
  REQUIRE(result.at("violations").size() == 1);
  const auto& violation = result.at("violations")[0];
  CHECK(violation.at("kind") == "lost_update");
  CHECK(violation.at("message") == "an update of account was lost");
  CHECK(violation.at("execution") == 6);
  CHECK(violation.at("token") == "fl1-x");
  CHECK(violation.at("tasks") == json::array({"teller 0", "teller 1"}));
  CHECK(violation.at("resource") == "account");
  CHECK(violation.at("replays") == 3);
  CHECK(violation.at("reproduced") == 3);
}

TEST_CASE("violations of all findings stand in one list", "[report]") {
  auto result = tests::campaign_with(tests::lost_update());
  result.findings.push_back(tests::deadlock());
  const auto all = report::results_json(std::array{result}).at("scenarios")[0].at("violations");
  REQUIRE(all.size() == 2);
  CHECK(all[0].at("token") == "fl1-x");
  CHECK(all[1].at("token") == "fl1-y");
}

TEST_CASE("no results and no violations are empty lists", "[report]") {
  CHECK(report::results_json({}) == json{{"scenarios", json::array()}});
  explore::campaign_result nothing;
  CHECK(report::results_json(std::array{nothing})["scenarios"][0]["violations"] == json::array());
  CHECK(report::results_json(std::array{nothing})["scenarios"][0]["executions_per_second"] == 0.0);
}

TEST_CASE("an error is told as one", "[report]") {
  explore::campaign_result result;
  result.how = explore::verdict::error;
  result.message = "no worker";
  CHECK(report::results_json(std::array{result})["scenarios"][0]["error"] == "no worker");
}

TEST_CASE("the list has the fields of the contract", "[report]") {
  const scenario_info info{.name = "one",
                           .tags = {"a", "b"},
                           .file = "one.cpp",
                           .line = 7,
                           .defaults = {.expects = {violation_kind::leak}}};
  CHECK(report::list_json(std::array{&info}) ==
        json::parse(R"({"scenarios": [{"name": "one", "tags": ["a", "b"], "expects": ["leak"],
                                       "file": "one.cpp", "line": 7}]})"));
}

TEST_CASE("bytes that are not UTF-8 do not break the JSON", "[report]") {
  CHECK(json::parse(report::dump(json("\xff"))) == "\xef\xbf\xbd");
}

TEST_CASE("a shrunk failure has its places in JSON, and one that was not has null", "[report]") {
  auto found = tests::lost_update();
  const auto shrunk_of = [](const explore::finding& one) {
    return report::results_json(
        std::array{tests::campaign_with(one)})["scenarios"][0]["violations"][0]["shrunk"];
  };
  CHECK(shrunk_of(found).is_null());
  found.shrunk = explore::shrinking{.original = "fl1-long",
                                    .executions = 77,
                                    .before = {9, 1, 41, 60},
                                    .after = {1, 0, 2, 4},
                                    .preemptions = {{2, task_id{0}, task_id{1}, 2}},
                                    .critical_step = 4,
                                    .continuations = 20};
  const auto shrunk = shrunk_of(found);
  CHECK(shrunk.at("original") == "fl1-long");
  CHECK(shrunk.at("executions") == 77);
  CHECK(shrunk.at("complete") == false);
  CHECK(shrunk.at("given_up_after_ms") == 0);
  CHECK(shrunk.at("before") ==
        json{{"preemptions", 9}, {"faults", 1}, {"switches", 41}, {"steps", 60}});
  CHECK(shrunk.at("after").at("steps") == 4);
  CHECK(shrunk.at("preemptions") == json::array({{{"step", 2},
                                                  {"task", "teller 0"},
                                                  {"instead", "teller 1"},
                                                  {"operation", "store account = 110"},
                                                  {"source", "/somewhere/bank.cpp:3"}}}));
  CHECK(shrunk.at("faults").empty());
  CHECK(shrunk.at("critical_step") == 4);
  CHECK(shrunk.at("continuations") == 20);
  found.shrunk->continuations = 0;
  CHECK(shrunk_of(found).at("critical_step") == 4);
  found.shrunk->critical_step = 0;
  CHECK(shrunk_of(found).at("critical_step").is_null());
  auto& struck = found.what_happened.events[1];
  struck.op = operation::fault;
  struck.before = index(fault_kind::kill);
  struck.after = static_cast<std::uint64_t>(operation::load);
  CHECK(shrunk_of(found).at("faults") == json::array({{{"step", 2},
                                                       {"task", "teller 1"},
                                                       {"fault", "kill"},
                                                       {"operation", "load"},
                                                       {"source", "/somewhere/bank.cpp:2"}}}));
}
