#include "framework/trace/json.hpp"

#include <array>
#include <span>
#include <string_view>

#include "framework/trace/json_field.hpp"

namespace forkloom {
namespace {

using json = nlohmann::json;
namespace field = json_field;

// By the numbers of the enumerators.
constexpr std::array<std::string_view, 3> outcomes{"completed", "blocked", "timed_out"};
constexpr std::array<std::string_view, 3> task_ends{"alive", "exited", "signalled"};
constexpr std::array<std::string_view, 2> failure_kinds{"expectation", "exception"};
constexpr std::array<std::string_view, 9> endings{"finished", "stuck",        "step_limit",
                                                  "spinning", "uncontrolled", "task_limit",
                                                  "stopped",  "interrupted",  "failed"};
static_assert(endings.size() == static_cast<std::size_t>(ending::failed) + 1);

// The names of all values of an enumeration that ends with count_.
template <class Enumeration>
std::span<const std::string_view> names_of() {
  static const auto names = [] {
    std::array<std::string_view, static_cast<std::size_t>(Enumeration::count_)> all;
    for (std::size_t i = 0; i < all.size(); ++i) all.at(i) = name(static_cast<Enumeration>(i));
    return all;
  }();
  return names;
}

template <class Enumeration>
std::string_view name_in(std::span<const std::string_view> names, Enumeration value) {
  return names[static_cast<std::size_t>(value)];
}

// "None" of an id type is null.
template <class Id>
json id_to_json(Id id, Id none) {
  return id == none ? json(nullptr) : json(static_cast<std::underlying_type_t<Id>>(id));
}

template <class Id>
Id id_from_json(const json& value, std::string_view where, Id none) {
  if (value.is_null()) return none;
  return static_cast<Id>(field::integer<std::underlying_type_t<Id>>(value, where));
}

json task_to_json(task_id task) { return id_to_json(task, no_task); }
json resource_to_json(resource_id resource) { return id_to_json(resource, no_resource); }
task_id task_from_json(const json& object, const char* key) {
  return id_from_json(field::at(object, key), key, no_task);
}
resource_id resource_from_json(const json& object, const char* key) {
  return id_from_json(field::at(object, key), key, no_resource);
}
task_id task_element(const json& value) { return id_from_json(value, "a task", no_task); }
resource_id resource_element(const json& value) {
  return id_from_json(value, "a resource", no_resource);
}

json event_to_json(const event& e) {
  return json::array({e.step, e.clock_ns, task_to_json(e.task), name(e.op),
                      name_in(outcomes, e.how), resource_to_json(e.resource),
                      resource_to_json(e.second), e.result, e.error, e.before, e.after, e.site,
                      e.stack});
}

event event_from_json(const json& values) {
  constexpr std::size_t columns = 13;
  if (!values.is_array() || values.size() != columns)
    field::refuse("events", fmt::format("must be arrays of {} values", columns));
  event e;
  e.step = field::integer<std::uint64_t>(values[0], "an event's step");
  e.clock_ns = field::integer<std::uint64_t>(values[1], "an event's clock");
  e.task = id_from_json(values[2], "an event's task", no_task);
  e.op = field::named<operation>(values[3], "an event's operation", names_of<operation>());
  e.how = field::named<outcome>(values[4], "an event's outcome", outcomes);
  e.resource = id_from_json(values[5], "an event's resource", no_resource);
  e.second = id_from_json(values[6], "an event's second resource", no_resource);
  e.result = field::integer<std::int64_t>(values[7], "an event's result");
  e.error = field::integer<std::int32_t>(values[8], "an event's error");
  e.before = field::integer<std::uint64_t>(values[9], "an event's value before");
  e.after = field::integer<std::uint64_t>(values[10], "an event's value after");
  e.site = field::integer<std::uint64_t>(values[11], "an event's site");
  e.stack = field::integer<std::uint32_t>(values[12], "an event's stack");
  return e;
}

json record_to_json(const task_record& task) {
  return {{"name", task.name},
          {"parent", task_to_json(task.parent)},
          {"thread_of", task_to_json(task.thread_of)},
          {"end", name_in(task_ends, task.end.kind)},
          {"code", task.end.code},
          {"allowed", task.end.allowed},
          {"body_returned", task.body_returned},
          {"output", task.output}};
}

task_record task_record_from_json(const json& object) {
  task_record task;
  task.name = field::text_at(object, "name");
  task.parent = task_from_json(object, "parent");
  task.thread_of = task_from_json(object, "thread_of");
  task.end.kind = field::named_at<task_end::how>(object, "end", task_ends);
  task.end.code = field::integer_at<int>(object, "code");
  task.end.allowed = field::boolean_at(object, "allowed");
  task.body_returned = field::boolean_at(object, "body_returned");
  task.output = field::text_at(object, "output");
  return task;
}

json record_to_json(const resource_record& resource) {
  json object = {{"name", resource.name},
                 {"kind", name(resource.kind)},
                 {"owner", task_to_json(resource.owner)}};
  if (resource.object != 0) {
    object["object"] = resource.object;
    object["offset"] = resource.offset;
  }
  return object;
}

resource_record resource_record_from_json(const json& object) {
  resource_record resource;
  resource.name = field::text_at(object, "name");
  resource.kind = field::named_at<resource_kind>(object, "kind", names_of<resource_kind>());
  resource.owner = task_from_json(object, "owner");
  if (object.contains("object")) {
    resource.object = field::integer_at<std::uint32_t>(object, "object");
    resource.offset = field::integer_at<std::uint64_t>(object, "offset");
  }
  return resource;
}

json record_to_json(const wait_record& wait) {
  auto resources = json::array();
  for (const auto resource : wait.resources) resources.push_back(resource_to_json(resource));
  auto releasers = json::array();
  for (const auto task : wait.releasers) releasers.push_back(task_to_json(task));
  json object = {{"task", task_to_json(wait.task)},
                 {"operation", name(wait.op)},
                 {"resources", std::move(resources)},
                 {"releasers", std::move(releasers)},
                 {"event", wait.event}};
  if (wait.timeout_ignored) object["timeout_ignored"] = true;
  return object;
}

wait_record wait_record_from_json(const json& object) {
  wait_record wait;
  wait.task = task_from_json(object, "task");
  wait.op = field::named_at<operation>(object, "operation", names_of<operation>());
  wait.resources = field::elements_at(object, "resources", resource_element);
  wait.releasers = field::elements_at(object, "releasers", task_element);
  wait.event = field::integer_at<std::size_t>(object, "event");
  wait.timeout_ignored = object.contains("timeout_ignored");
  return wait;
}

json record_to_json(const failure_record& failure) {
  return {{"kind", name_in(failure_kinds, failure.kind)},
          {"task", task_to_json(failure.task)},
          {"step", failure.step},
          {"file", failure.file},
          {"line", failure.line},
          {"text", failure.text}};
}

failure_record failure_record_from_json(const json& object) {
  failure_record failure;
  failure.kind = field::named_at<failure_record::what>(object, "kind", failure_kinds);
  failure.task = task_from_json(object, "task");
  failure.step = field::integer_at<std::uint64_t>(object, "step");
  failure.file = field::text_at(object, "file");
  failure.line = field::integer_at<std::uint32_t>(object, "line");
  failure.text = field::text_at(object, "text");
  return failure;
}

json record_to_json(const leftover_record& leftover) {
  return {{"what", leftover.what}, {"resource", resource_to_json(leftover.resource)}};
}

leftover_record leftover_record_from_json(const json& object) {
  return {field::text_at(object, "what"), resource_from_json(object, "resource")};
}

template <class Records>
json records_to_json(const Records& records) {
  auto all = json::array();
  for (const auto& record : records) all.push_back(record_to_json(record));
  return all;
}

json events_to_json(const std::vector<event>& events) {
  auto all = json::array();
  for (const auto& e : events) all.push_back(event_to_json(e));
  return all;
}

json schedule_to_json(const std::vector<task_id>& schedule) {
  auto all = json::array();
  for (const auto task : schedule) all.push_back(task_to_json(task));
  return all;
}

json draws_to_json(const std::vector<draw_record>& draws) {
  auto all = json::array();
  for (const auto& d : draws) all.push_back(json::array({d.step, d.nth, d.value, d.bound}));
  return all;
}

draw_record draw_from_json(const json& values) {
  if (!values.is_array() || values.size() != 4)
    field::refuse("draws", "must be arrays of 4 values");
  const auto number = [&](std::size_t i) {
    return field::integer<std::uint32_t>(values[i], "a number of a draw");
  };
  return {.step = number(0), .nth = number(1), .value = number(2), .bound = number(3)};
}

// JSON keys are strings; an address is written in decimal.
json sources_to_json(const std::map<std::uint64_t, std::string>& sources) {
  auto all = json::object();
  for (const auto& [address, place] : sources) all[fmt::to_string(address)] = place;
  return all;
}

std::map<std::uint64_t, std::string> sources_from_json(const json& object, const char* key) {
  const auto& all = field::at(object, key);
  if (!all.is_object()) field::refuse(key, "must be an object");
  std::map<std::uint64_t, std::string> sources;
  for (const auto& [digits, place] : all.items()) {
    const auto address = json::parse(digits, nullptr, false);
    sources[field::integer<std::uint64_t>(address, "an address in sources")] =
        field::text(place, "a place in sources");
  }
  return sources;
}

std::vector<std::uint64_t> stack_from_json(const json& value) {
  if (!value.is_array()) field::refuse("stacks", "must be arrays");
  std::vector<std::uint64_t> addresses;
  for (const auto& address : value)
    addresses.push_back(field::integer<std::uint64_t>(address, "an address in stacks"));
  return addresses;
}

}  // namespace

void to_json(nlohmann::json& json, const violation& value) {
  json = {{"kind", name(value.kind)},   {"message", value.message},   {"tasks", value.tasks},
          {"resource", value.resource}, {"evidence", value.evidence}, {"details", value.details}};
}

void from_json(const nlohmann::json& json, violation& value) {
  const auto text = [](const auto& element) { return field::text(element, "an element"); };
  const auto kind = violation_kind_named(field::text_at(json, "kind"));
  if (!kind)
    field::refuse("kind", fmt::format("is '{}', which is no kind of violation",
                                      field::text_at(json, "kind")));
  value.kind = *kind;
  value.message = field::text_at(json, "message");
  value.tasks = field::elements_at(json, "tasks", text);
  value.resource = field::text_at(json, "resource");
  value.evidence = field::elements_at(json, "evidence", [](const auto& element) {
    return field::integer<std::size_t>(element, "an element of evidence");
  });
  value.details = field::elements_at(json, "details", text);
}

void to_json(nlohmann::json& json, const trace& value) {
  json = {{"events", events_to_json(value.events)},
          {"tasks", records_to_json(value.tasks)},
          {"resources", records_to_json(value.resources)},
          {"waits", records_to_json(value.waits)},
          {"failures", records_to_json(value.failures)},
          {"leftovers", records_to_json(value.leftovers)},
          {"stacks", value.stacks},
          {"schedule", schedule_to_json(value.schedule)},
          {"draws", draws_to_json(value.draws)},
          {"sources", sources_to_json(value.sources)},
          {"ending", name_in(endings, value.how)},
          {"culprit", task_to_json(value.culprit)},
          {"detail", value.detail},
          {"steps", value.steps},
          {"switches", value.switches},
          {"hash", value.hash}};
}

void from_json(const nlohmann::json& json, trace& value) {
  value.events = field::elements_at(json, "events", event_from_json);
  value.tasks = field::elements_at(json, "tasks", task_record_from_json);
  value.resources = field::elements_at(json, "resources", resource_record_from_json);
  value.waits = field::elements_at(json, "waits", wait_record_from_json);
  value.failures = field::elements_at(json, "failures", failure_record_from_json);
  value.leftovers = field::elements_at(json, "leftovers", leftover_record_from_json);
  value.stacks = field::elements_at(json, "stacks", stack_from_json);
  value.schedule = field::elements_at(json, "schedule", task_element);
  // Files of the first version may lack them.
  if (json.contains("draws")) value.draws = field::elements_at(json, "draws", draw_from_json);
  value.sources = sources_from_json(json, "sources");
  value.how = field::named_at<ending>(json, "ending", endings);
  value.culprit = task_from_json(json, "culprit");
  value.detail = field::text_at(json, "detail");
  value.steps = field::integer_at<std::uint64_t>(json, "steps");
  value.switches = field::integer_at<std::uint64_t>(json, "switches");
  value.hash = field::integer_at<std::uint64_t>(json, "hash");
}

}  // namespace forkloom
