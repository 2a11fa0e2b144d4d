#include "framework/explore/result_json.hpp"

#include <array>
#include <string_view>

#include "framework/trace/json.hpp"
#include "framework/trace/json_field.hpp"

namespace forkloom::explore {
namespace {

namespace field = json_field;

constexpr std::array<std::string_view, 3> verdicts{"as_expected", "violated", "error"};

violation_kind kind_from_json(const nlohmann::json& value) {
  const auto text = field::text(value, "an expected kind");
  const auto kind = violation_kind_named(text);
  if (!kind)
    field::refuse("expected", fmt::format("has '{}', which is no kind of violation", text));
  return *kind;
}

std::vector<std::string_view> names_of(const std::vector<violation_kind>& kinds) {
  std::vector<std::string_view> names;
  for (const auto kind : kinds) names.push_back(name(kind));
  return names;
}

nlohmann::json size_to_json(const schedule_size& size) {
  return {size.preemptions, size.faults, size.switches, size.steps};
}

schedule_size size_from_json(const nlohmann::json& values) {
  const auto number = [&](std::size_t i) {
    return field::integer<std::uint64_t>(values.at(i), "a size of a schedule");
  };
  return {.preemptions = number(0), .faults = number(1), .switches = number(2), .steps = number(3)};
}

preemption preemption_from_json(const nlohmann::json& values) {
  const auto number = [&](std::size_t i) {
    return field::integer<std::uint64_t>(values.at(i), "a number of a preemption");
  };
  const auto task = [&](std::size_t i) {
    return task_id(field::integer<std::uint16_t>(values.at(i), "a task of a preemption"));
  };
  return {.step = number(0), .from = task(1), .to = task(2), .event = number(3)};
}

nlohmann::json shrinking_to_json(const shrinking& value) {
  auto preemptions = nlohmann::json::array();
  for (const auto& p : value.preemptions)
    preemptions.push_back(
        {p.step, static_cast<std::uint16_t>(p.from), static_cast<std::uint16_t>(p.to), p.event});
  return {{"original", value.original},
          {"executions", value.executions},
          {"complete", value.complete},
          {"before", size_to_json(value.before)},
          {"after", size_to_json(value.after)},
          {"preemptions", std::move(preemptions)},
          {"critical_step", value.critical_step},
          {"continuations", value.continuations},
          {"given_up_after_ms", value.given_up_after_ms}};
}

shrinking shrinking_from_json(const nlohmann::json& json) {
  shrinking value;
  value.original = field::text_at(json, "original");
  value.executions = field::integer_at<std::uint64_t>(json, "executions");
  value.complete = field::boolean_at(json, "complete");
  value.before = size_from_json(field::at(json, "before"));
  value.after = size_from_json(field::at(json, "after"));
  value.preemptions = field::elements_at(json, "preemptions", preemption_from_json);
  value.critical_step = field::integer_at<std::uint64_t>(json, "critical_step");
  value.continuations = field::integer_at<std::uint32_t>(json, "continuations");
  value.given_up_after_ms = field::integer_at<std::uint64_t>(json, "given_up_after_ms");
  return value;
}

}  // namespace

void to_json(nlohmann::json& json, const execution_hash& value) {
  json = {{"seed", value.seed}, {"steps", value.steps}, {"hash", value.hash}};
}

void from_json(const nlohmann::json& json, execution_hash& value) {
  value.seed = field::integer_at<std::uint64_t>(json, "seed");
  value.steps = field::integer_at<std::uint64_t>(json, "steps");
  value.hash = field::integer_at<std::uint64_t>(json, "hash");
}

void to_json(nlohmann::json& json, const coverage_summary& value) {
  json = {{"classes", value.classes},
          {"orderings", value.orderings},
          {"lock_states", value.lock_states},
          {"last_new", value.last_new},
          {"saturated", value.saturated}};
}

void from_json(const nlohmann::json& json, coverage_summary& value) {
  value.classes = field::integer_at<std::uint64_t>(json, "classes");
  value.orderings = field::integer_at<std::uint64_t>(json, "orderings");
  value.lock_states = field::integer_at<std::uint64_t>(json, "lock_states");
  value.last_new = field::integer_at<std::uint64_t>(json, "last_new");
  value.saturated = field::at(json, "saturated").get<bool>();
}

void to_json(nlohmann::json& json, const estimate_summary& value) {
  json = {{"known", value.known},
          {"schedules_log2", value.schedules_log2},
          {"classes", value.classes},
          {"new_class", value.new_class},
          {"more_for_classes", value.more_for_classes},
          {"failed", value.failed},
          {"failure", value.failure},
          {"failure_low", value.failure_low},
          {"failure_high", value.failure_high},
          {"executions_to_see", value.executions_to_see}};
}

void from_json(const nlohmann::json& json, estimate_summary& value) {
  value.known = field::at(json, "known").get<bool>();
  value.schedules_log2 = field::real_at(json, "schedules_log2");
  value.classes = field::real_at(json, "classes");
  value.new_class = field::real_at(json, "new_class");
  value.more_for_classes = field::integer_at<std::uint64_t>(json, "more_for_classes");
  value.failed = field::integer_at<std::uint64_t>(json, "failed");
  value.failure = field::real_at(json, "failure");
  value.failure_low = field::real_at(json, "failure_low");
  value.failure_high = field::real_at(json, "failure_high");
  value.executions_to_see = field::integer_at<std::uint64_t>(json, "executions_to_see");
}

void to_json(nlohmann::json& json, const fault_count& value) {
  json = {{"name", value.name}, {"chances", value.chances}, {"happened", value.happened}};
}

void from_json(const nlohmann::json& json, fault_count& value) {
  value.name = field::text_at(json, "name");
  value.chances = field::integer_at<std::uint64_t>(json, "chances");
  value.happened = field::integer_at<std::uint64_t>(json, "happened");
}

void to_json(nlohmann::json& json, const finding& value) {
  json = {{"violations", value.violations},   {"execution", value.execution},
          {"occurrences", value.occurrences}, {"token", value.token},
          {"replays", value.replays},         {"reproduced", value.reproduced},
          {"divergence", value.divergence},   {"trace", value.what_happened}};
  if (value.shrunk) json["shrunk"] = shrinking_to_json(*value.shrunk);
}

void from_json(const nlohmann::json& json, finding& value) {
  value.violations = field::elements_at(
      json, "violations", [](const auto& element) { return element.template get<violation>(); });
  value.execution = field::integer_at<std::uint64_t>(json, "execution");
  value.occurrences = field::integer_at<std::uint64_t>(json, "occurrences");
  value.token = field::text_at(json, "token");
  value.replays = field::integer_at<std::uint32_t>(json, "replays");
  value.reproduced = field::integer_at<std::uint32_t>(json, "reproduced");
  value.divergence = field::text_at(json, "divergence");
  value.what_happened = field::at(json, "trace").get<trace>();
  if (json.contains("shrunk")) value.shrunk = shrinking_from_json(json.at("shrunk"));
}

void to_json(nlohmann::json& json, const campaign_result& value) {
  json = {{"scenario", value.scenario},
          {"strategy", value.strategy},
          {"guarantee", value.guarantee},
          {"conclusion", value.conclusion},
          {"seed", value.seed},
          {"executions", value.executions},
          {"steps", value.steps},
          {"switches", value.switches},
          {"seconds", value.seconds},
          {"isolation", value.isolation},
          {"expected", names_of(value.expected)},
          {"findings", value.findings},
          {"suppressed", value.suppressed},
          {"verdict", verdicts.at(static_cast<std::size_t>(value.how))},
          {"message", value.message},
          {"uncontrolled", value.uncontrolled},
          {"coverage", value.coverage},
          {"estimates", value.estimates},
          {"faults", value.faults},
          {"hashes", value.hashes}};
}

void from_json(const nlohmann::json& json, campaign_result& value) {
  value.scenario = field::text_at(json, "scenario");
  value.strategy = field::text_at(json, "strategy");
  value.guarantee = field::text_at(json, "guarantee");
  value.conclusion = field::text_at(json, "conclusion");
  value.seed = field::integer_at<std::uint64_t>(json, "seed");
  value.executions = field::integer_at<std::uint64_t>(json, "executions");
  value.steps = field::integer_at<std::uint64_t>(json, "steps");
  value.switches = field::integer_at<std::uint64_t>(json, "switches");
  value.seconds = field::real_at(json, "seconds");
  value.isolation = field::text_at(json, "isolation");
  value.expected = field::elements_at(json, "expected", kind_from_json);
  value.findings = field::elements_at(
      json, "findings", [](const auto& element) { return element.template get<finding>(); });
  value.suppressed = field::integer_at<std::uint64_t>(json, "suppressed");
  value.how = field::named_at<verdict>(json, "verdict", verdicts);
  value.message = field::text_at(json, "message");
  value.uncontrolled = field::elements_at(
      json, "uncontrolled", [](const auto& line) { return field::text(line, "a line"); });
  value.coverage = field::at(json, "coverage").get<coverage_summary>();
  value.estimates = field::at(json, "estimates").get<estimate_summary>();
  value.faults = field::elements_at(
      json, "faults", [](const auto& element) { return element.template get<fault_count>(); });
  value.hashes = field::elements_at(
      json, "hashes", [](const auto& element) { return element.template get<execution_hash>(); });
}

}  // namespace forkloom::explore
