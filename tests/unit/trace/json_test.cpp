#include "framework/trace/json.hpp"

#include "forkloom/error.hpp"
#include "tests/catch.hpp"
#include "tests/unit/trace/sample_trace.hpp"

namespace {

using namespace forkloom;
using json = nlohmann::json;

// The way between processes: it must keep bytes that are not UTF-8.
trace after_the_way(const trace& value) {
  return json::from_cbor(json::to_cbor(json(value))).get<trace>();
}

std::string refusal(const json& damaged) {
  try {
    (void)damaged.get<trace>();
  } catch (const usage_error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("an event keeps every field on its way through JSON", "[json]") {
  const auto before = tests::sample_trace().events.at(0);
  const auto after = after_the_way(tests::sample_trace()).events.at(0);
  CHECK(after.step == before.step);
  CHECK(after.clock_ns == before.clock_ns);
  CHECK(after.result == before.result);
  CHECK(after.before == before.before);
  CHECK(after.after == before.after);
  CHECK(after.site == before.site);
  CHECK(after.resource == before.resource);
  CHECK(after.second == before.second);
  CHECK(after.stack == before.stack);
  CHECK(after.error == before.error);
  CHECK(after.task == before.task);
  CHECK(after.op == before.op);
  CHECK(after.how == before.how);
}

TEST_CASE("a task keeps every field on its way through JSON", "[json]") {
  const auto after = after_the_way(tests::sample_trace());
  REQUIRE(after.tasks.size() == 2);
  const auto& task = after.tasks[0];
  CHECK(task.name == "teller 0");
  CHECK(task.parent == no_task);
  CHECK(task.end.kind == task_end::how::signalled);
  CHECK(task.end.code == 11);
  CHECK(task.end.allowed);
  CHECK(task.body_returned);
  CHECK(task.output == std::string("caf\xe9 \0\n", 7));
  CHECK(after.tasks[1].parent == task_id{0});
}

TEST_CASE("the other records keep every field on their way through JSON", "[json]") {
  const auto after = after_the_way(tests::sample_trace());
  CHECK(after.resources.at(0).name == "lock");
  CHECK(after.resources.at(0).kind == resource_kind::mutex);
  CHECK(after.resources.at(0).owner == task_id{1});
  CHECK(after.resources.at(1).owner == no_task);
  CHECK(after.resources.at(0).object == 0);
  CHECK(after.resources.at(1).object == 2);
  CHECK(after.resources.at(1).offset == 64);

  CHECK(after.waits.at(0).task == task_id{1});
  CHECK(after.waits.at(0).op == operation::mutex_lock);
  CHECK(after.waits.at(0).resources == std::vector{resource_id{0}, resource_id{1}});
  CHECK(after.waits.at(0).releasers == std::vector{task_id{0}});
  CHECK(after.waits.at(0).event == 1);

  CHECK(after.failures.at(0).kind == failure_record::what::exception);
  CHECK(after.failures.at(0).task == no_task);
  CHECK(after.failures.at(0).step == 9);
  CHECK(after.failures.at(0).file == "bank.cpp");
  CHECK(after.failures.at(0).line == 12);
  CHECK(after.failures.at(0).text == "150 == 160");

  CHECK(after.leftovers.at(0).what == "shared memory /bank");
  CHECK(after.leftovers.at(0).resource == resource_id{1});
}

TEST_CASE("the trace itself keeps every field on its way through JSON", "[json]") {
  const auto before = tests::sample_trace();
  const auto after = after_the_way(before);
  CHECK(after.events.size() == 2);
  CHECK(after.stacks == before.stacks);
  CHECK(after.schedule == before.schedule);
  CHECK(after.draws == before.draws);
  CHECK(after.sources == before.sources);
  CHECK(after.how == ending::uncontrolled);
  CHECK(after.culprit == before.culprit);
  CHECK(after.detail == before.detail);
  CHECK(after.steps == before.steps);
  CHECK(after.switches == before.switches);
  CHECK(after.hash == before.hash);
}

TEST_CASE("every operation survives JSON under its own name", "[json]") {
  trace every;
  for (int op = 0; op < static_cast<int>(operation::count_); ++op)
    every.events.push_back(event{.op = static_cast<operation>(op)});
  const auto after = after_the_way(every);
  for (std::size_t i = 0; i < every.events.size(); ++i)
    CHECK(name(after.events[i].op) == name(every.events[i].op));
  for (std::size_t i = 0; i < every.events.size(); ++i)
    CHECK(after.events[i].op == every.events[i].op);
}

TEST_CASE("a file without draws has none", "[json]") {
  auto older = json(tests::sample_trace());
  older.erase("draws");
  CHECK(older.get<trace>().draws.empty());
}

TEST_CASE("a violation survives JSON", "[json]") {
  const violation before{.kind = violation_kind::lost_update,
                         .message = "an update was lost",
                         .tasks = {"a", "b"},
                         .resource = "account",
                         .evidence = {1, 4},
                         .details = {"first", "second"}};
  CHECK(json(before).get<violation>() == before);
}

TEST_CASE("a number that does not fit is refused, not wrapped around", "[json]") {
  auto damaged = json(tests::sample_trace());
  SECTION("a task id of 17 bits") {
    damaged["events"][0][2] = 0x1'0000;
    CHECK(refusal(damaged) == "\"an event's task\" must be a whole number in 0 … 65535");
  }
  SECTION("a negative step") {
    damaged["steps"] = -1;
    CHECK(refusal(damaged) == "\"steps\" must be a whole number in 0 … 18446744073709551615");
  }
  SECTION("an error number of 33 bits") {
    damaged["events"][0][8] = std::int64_t{1} << 32;
    CHECK(refusal(damaged).starts_with("\"an event's error\" must be a whole number"));
  }
  SECTION("an error number below 32 bits") {
    damaged["events"][0][8] = -(std::int64_t{1} << 32);
    CHECK(refusal(damaged).starts_with("\"an event's error\" must be a whole number"));
  }
  SECTION("a fraction") {
    damaged["hash"] = 1.5;
    CHECK(refusal(damaged).starts_with("\"hash\" must be a whole number"));
  }
}

TEST_CASE("every field of a trace is required but for the draws, which older files lack",
          "[json]") {
  const auto whole = json(tests::sample_trace());
  for (const auto& [key, value] : whole.items()) {
    if (key == "draws") continue;
    auto damaged = whole;
    damaged.erase(key);
    CHECK(refusal(damaged) == "\"" + key + "\" is missing");
  }
}

TEST_CASE("a value of the wrong type is refused by name", "[json]") {
  const auto whole = json(tests::sample_trace());
  for (const auto& [key, value] : whole.items()) {
    auto damaged = whole;
    damaged[key] = json::object({{"no", "good"}});
    INFO(key);
    CHECK(refusal(damaged) != "accepted");
    damaged[key] = false;
    CHECK(refusal(damaged).starts_with("\"" + key + "\" must be"));
  }
}

TEST_CASE("an unknown operation is refused with the known ones", "[json]") {
  auto damaged = json(tests::sample_trace());
  damaged["events"][0][3] = "teleport";
  CHECK(refusal(damaged).starts_with(
      "\"an event's operation\" is 'teleport', but must be one of: none, start, exit"));
}

TEST_CASE("something else than a trace is refused", "[json]") {
  CHECK(refusal(json(7)) == "\"events\" is looked for in something that is not an object");
}
