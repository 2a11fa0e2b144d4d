#include "framework/report/json.hpp"

#include "framework/report/describe.hpp"

namespace forkloom::report {
namespace {

using nlohmann::json;

json kinds_json(const std::vector<violation_kind>& kinds) {
  auto names = json::array();
  for (const auto kind : kinds) names.push_back(name(kind));
  return names;
}

json size_json(const explore::schedule_size& size) {
  return {{"preemptions", size.preemptions},
          {"faults", size.faults},
          {"switches", size.switches},
          {"steps", size.steps}};
}

json shrinking_json(const explore::finding& in) {
  if (!in.shrunk) return nullptr;
  const auto& what = in.what_happened;
  const auto& how = *in.shrunk;
  auto preemptions = json::array();
  for (const auto& p : how.preemptions) {
    const bool known = p.event < what.events.size();
    preemptions.push_back({{"step", p.step},
                           {"task", what.task_name(p.from)},
                           {"instead", what.task_name(p.to)},
                           {"operation", known ? describe(what, what.events[p.event]) : ""},
                           {"source", known ? what.source(what.events[p.event]) : ""}});
  }
  auto faults = json::array();
  for (const auto& e : what.events)
    if (e.op == operation::fault)
      faults.push_back({{"step", e.step},
                        {"task", what.task_name(e.task)},
                        {"fault", name(fault_of(e))},
                        {"operation", name(operation(e.after))},
                        {"source", what.source(e)}});
  return {{"original", how.original},
          {"executions", how.executions},
          {"complete", how.complete},
          {"given_up_after_ms", how.given_up_after_ms},
          {"before", size_json(how.before)},
          {"after", size_json(how.after)},
          {"preemptions", std::move(preemptions)},
          {"faults", std::move(faults)},
          {"critical_step", how.continuations > 0 || how.critical_step > 0 ? json(how.critical_step)
                                                                           : json(nullptr)},
          {"continuations", how.continuations}};
}

json violation_json(const violation& v, const explore::finding& in) {
  return {{"kind", name(v.kind)},
          {"message", v.message},
          {"execution", in.execution},
          {"occurrences", in.occurrences},
          {"token", in.token},
          {"tasks", v.tasks},
          {"resource", v.resource},
          {"details", v.details},
          {"replays", in.replays},
          {"reproduced", in.reproduced},
          {"divergence", in.divergence},
          {"shrunk", shrinking_json(in)},
          {"replay", "forkloom replay " + in.token + in.replay_arguments}};
}

json violations_json(const explore::campaign_result& result) {
  auto all = json::array();
  for (const auto& found : result.findings)
    for (const auto& v : found.violations) all.push_back(violation_json(v, found));
  return all;
}

json coverage_json(const explore::campaign_result& result) {
  const auto& c = result.coverage;
  return {{"classes", c.classes},
          {"orderings", c.orderings},
          {"lock_states", c.lock_states},
          {"last_new", c.last_new},
          {"saturated", c.saturated}};
}

json estimates_json(const explore::campaign_result& result) {
  const auto& e = result.estimates;
  if (!e.known) return nullptr;
  const auto known = [](bool is, auto value) { return is ? json(value) : json(nullptr); };
  return {{"schedules_log2", known(e.schedules_log2 >= 0, e.schedules_log2)},
          {"classes", e.classes},
          {"new_class_probability", e.new_class},
          {"executions_for_95_percent_of_classes", e.more_for_classes},
          {"failed_executions", e.failed},
          {"failure_probability", e.failure},
          {"failure_probability_low", e.failure_low},
          {"failure_probability_high", e.failure_high},
          {"executions_for_95_percent_to_fail", known(e.failed > 0, e.executions_to_see)}};
}

json faults_json(const explore::campaign_result& result) {
  auto all = json::array();
  for (const auto& fault : result.faults)
    all.push_back({{"name", fault.name}, {"chances", fault.chances}, {"happened", fault.happened}});
  return all;
}

json result_json(const explore::campaign_result& result) {
  const double rate =
      result.seconds > 0 ? static_cast<double>(result.executions) / result.seconds : 0;
  const bool error = result.how == explore::verdict::error;
  return {{"name", result.scenario},
          {"strategy", result.strategy},
          {"seed", result.seed},
          {"executions", result.executions},
          {"steps", result.steps},
          {"switches", result.switches},
          {"seconds", result.seconds},
          {"executions_per_second", rate},
          {"violations", violations_json(result)},
          {"expected", kinds_json(result.expected)},
          {"as_expected", result.how == explore::verdict::as_expected},
          {"message", result.message},
          {"error", error ? json(result.message) : json(nullptr)},
          {"isolation", result.isolation},
          {"guarantee", result.guarantee},
          {"coverage", coverage_json(result)},
          {"estimates", estimates_json(result)},
          {"conclusion", result.conclusion},
          {"suppressed", result.suppressed},
          {"uncontrolled", result.uncontrolled},
          {"faults", faults_json(result)}};
}

}  // namespace

json results_json(std::span<const explore::campaign_result> results) {
  auto scenarios = json::array();
  for (const auto& result : results) scenarios.push_back(result_json(result));
  return {{"scenarios", std::move(scenarios)}};
}

json list_json(std::span<const scenario_info* const> scenarios) {
  auto all = json::array();
  for (const auto* scenario : scenarios)
    all.push_back({{"name", scenario->name},
                   {"tags", scenario->tags},
                   {"expects", kinds_json(scenario->defaults.expects)},
                   {"file", scenario->file},
                   {"line", scenario->line}});
  return {{"scenarios", std::move(all)}};
}

std::string dump(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace forkloom::report
