#include "framework/report/lanes.hpp"

#include <sstream>

#include "framework/report/window.hpp"
#include "tests/catch.hpp"
#include "tests/unit/report/sample_results.hpp"

using namespace forkloom;
using Catch::Contains;

namespace {

constexpr report::style plain{.columns = 100};
constexpr report::style verbose{.columns = 100, .verbose = true};

// Tasks that take turns on one counter.
trace turns(unsigned tasks, unsigned events) {
  trace t;
  for (unsigned i = 0; i < tasks; ++i)
    t.tasks.push_back(tests::exited("task " + std::to_string(i)));
  t.resources = {{.name = "counter"}};
  for (unsigned i = 0; i < events; ++i)
    t.events.push_back(tests::step(i + 1, i % tasks, operation::load, 0, i));
  return t;
}

std::string row_of_step(const std::string& table, unsigned step) {
  std::istringstream rows(table);
  const auto beginning = std::to_string(step) + " │";
  for (std::string row; std::getline(rows, row);)
    if (row.find(beginning) != std::string::npos && row.find(beginning) < 5) return row;
  return {};
}

}  // namespace

TEST_CASE("no events make no table", "[report]") {
  CHECK(report::lanes(trace{}, violation{}, plain).empty());
}

TEST_CASE("a short interleaving is shown whole", "[report]") {
  const auto text = report::lanes(turns(2, 30), violation{}, plain);
  CHECK(row_of_step(text, 1) != "");
  CHECK(row_of_step(text, 30) != "");
  CHECK_THAT(text, !Contains("not shown"));
}

TEST_CASE("of a long interleaving the surroundings of the evidence are shown", "[report]") {
  const auto text = report::lanes(turns(2, 100), violation{.evidence = {49}}, plain);
  CHECK_THAT(row_of_step(text, 50), Contains("► load counter → 49"));
  CHECK(row_of_step(text, 47) != "");
  CHECK(row_of_step(text, 53) != "");
  CHECK(row_of_step(text, 46) == "");
  CHECK(row_of_step(text, 54) == "");
  CHECK_THAT(text, Contains("46 events not shown") && Contains("47 events not shown"));
}

TEST_CASE("without evidence the end of a long interleaving is shown", "[report]") {
  const auto text = report::lanes(turns(2, 100), violation{}, plain);
  CHECK(row_of_step(text, 100) != "");
  CHECK(row_of_step(text, 71) != "");
  CHECK(row_of_step(text, 70) == "");
}

TEST_CASE("much evidence is shown at its beginning and its end", "[report]") {
  violation found;
  for (std::size_t i = 0; i < 900; i += 10) found.evidence.push_back(i);
  const auto trace = turns(2, 1'000);
  const auto text = report::lanes(trace, found, plain);
  CHECK_THAT(row_of_step(text, 1), Contains("►"));
  CHECK_THAT(row_of_step(text, 891), Contains("►"));
  CHECK(row_of_step(text, 451) == "");
  const auto tasks = report::shown_tasks(trace, found);
  CHECK(report::shown_events(trace, found, tasks, false).size() <= 12 * 7);
}

TEST_CASE("verbose shows every event", "[report]") {
  const auto text = report::lanes(turns(2, 100), violation{.evidence = {49}}, verbose);
  for (unsigned step = 1; step <= 100; ++step) CHECK(row_of_step(text, step) != "");
}

TEST_CASE("of more than six tasks only those of the violation are shown", "[report]") {
  const auto text = report::lanes(turns(9, 18), violation{.tasks = {"task 2", "task 7"}}, plain);
  CHECK_THAT(text, Contains("task 2") && Contains("task 7") && !Contains("task 3"));
  CHECK_THAT(text, Contains("7 more tasks are not shown."));
}

TEST_CASE("six tasks are all shown", "[report]") {
  const auto text = report::lanes(turns(6, 6), violation{.tasks = {"task 2"}}, {.columns = 200});
  CHECK_THAT(text, Contains("task 0") && Contains("task 5") && !Contains("more task"));
}

TEST_CASE("lanes that do not fit become a list that names the task in each row", "[report]") {
  const auto text = report::lanes(turns(6, 6), violation{}, {.columns = 60});
  CHECK_THAT(text, Contains("step │ task"));
  CHECK_THAT(row_of_step(text, 4), Contains("│ task 3 ") && Contains("load counter → 3"));
}

TEST_CASE("no row is wider than the terminal", "[report]") {
  const auto width = GENERATE(as<std::size_t>{}, 40, 60, 80, 120, 200);
  const auto tasks = GENERATE(1u, 2u, 5u);
  auto trace = turns(tasks, 10);
  trace.resources[0].name = std::string(300, 'n');
  for (const auto& e : trace.events) trace.sources[e.site] = std::string(20, 's');
  std::istringstream rows(report::lanes(trace, violation{}, {.columns = width}));
  for (std::string row; std::getline(rows, row);) CHECK(report::width(row) <= width);
}

TEST_CASE("a task is marked as preempted only where it could have gone on", "[report]") {
  auto trace = turns(2, 4);
  const auto idle_lane = [&] { return row_of_step(report::lanes(trace, {}, plain), 2); };
  CHECK_THAT(idle_lane(), Contains("(preempted)"));
  for (const auto op : {operation::yield, operation::sleep, operation::exit}) {
    trace.events[0].op = op;
    CHECK_THAT(idle_lane(), !Contains("(preempted)"));
  }
  trace.events[0].op = operation::mutex_lock;
  trace.events[0].how = outcome::blocked;
  CHECK_THAT(idle_lane(), !Contains("(preempted)") && Contains("⋮"));
}

TEST_CASE("a task that never ran again was not preempted", "[report]") {
  auto trace = turns(2, 2);
  CHECK_THAT(row_of_step(report::lanes(trace, {}, plain), 2), !Contains("(preempted)"));
}
