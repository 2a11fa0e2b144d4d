#include "framework/execution/harvest.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <map>
#include <utility>

#include "framework/execution/images.hpp"

namespace forkloom::execution {
namespace {

task_end end_of(const task& t) {
  if (t.state != task_state::dead) return {};
  if (WIFSIGNALED(t.wait_status))
    return {.kind = task_end::how::signalled, .code = WTERMSIG(t.wait_status)};
  return {.kind = task_end::how::exited, .code = WEXITSTATUS(t.wait_status)};
}

// Where resources in shared memory lie. What is mapped is numbered in the order of first use.
class places {
 public:
  explicit places(const resource_table& all) : all_(all) {}

  // When the table is full its last entry stands for many places.
  void find(std::size_t i, resource_record& record) {
    const auto& key = all_[resource_id(i)].key;
    if (key.where != resource_key::space::mapping) return;
    if (all_.overflowed() && i + 1 == all_.size()) return;
    const auto next = static_cast<std::uint32_t>(objects_.size() + 1);
    record.object = objects_.try_emplace(key.object, next).first->second;
    record.offset = key.offset;
  }

 private:
  const resource_table& all_;
  std::map<std::uint64_t, std::uint32_t> objects_;
};

// Resources that nobody named are called after their kind, numbered in the order of first use.
std::vector<resource_record> resources_of(const arena& a) {
  std::array<unsigned, static_cast<std::size_t>(resource_kind::count_)> numbers{};
  std::vector<resource_record> result;
  result.reserve(a.resources.size());
  places where(a.resources);
  for (std::size_t i = 0; i < a.resources.size(); ++i) {
    const auto& r = a.resources[resource_id(i)];
    resource_record record{.name = r.name.data(), .kind = r.kind, .owner = r.owner};
    where.find(i, record);
    if (r.key.where == resource_key::space::children)
      record.name = fmt::format("children of {}", a.details[r.key.object].name.data());
    else if (r.key.where == resource_key::space::thread)
      record.name = fmt::format("thread {}", a.details[r.key.object].name.data());
    else if (r.key.where == resource_key::space::entry)
      record.name.erase(0, record.name.rfind('/') + 1);  // the folder is the machine's affair
    else if (record.name.empty())
      record.name = fmt::format("{} {}", name(r.kind), ++numbers[static_cast<std::size_t>(r.kind)]);
    result.push_back(std::move(record));
  }
  return result;
}

std::vector<task_record> tasks_of(const arena& a) {
  std::vector<task_record> result;
  result.reserve(a.schedule.task_count);
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto& t = a.tasks[i];
    result.push_back({.name = a.details[i].name.data(),
                      .parent = t.parent,
                      .thread_of = t.process == task_id(i) ? no_task : t.process,
                      .end = end_of(t),
                      .body_returned = t.body_returned,
                      .output = {}});
    const bool in_a_step = a.schedule.running == task_id(i) && t.state == task_state::ready;
    if (t.state == task_state::dead || in_a_step) continue;
    result.back().pending = t.pending;
    result.back().pending_resource = t.pending_resource;
  }
  return result;
}

std::vector<failure_record> failures_of(const arena& a) {
  std::vector<failure_record> result;
  for (std::uint32_t i = 0; i < a.failure_count; ++i) {
    const auto& f = a.failures[i];
    result.push_back({f.kind, f.task, f.step, f.file.data(), f.line, f.text.data()});
  }
  return result;
}

std::string detail_of(const arena& a) {
  if (a.schedule.how != ending::step_limit) return {};
  if (a.schedule.since_progress > a.config.progress_limit)
    return fmt::format("{} steps without progress", a.config.progress_limit);
  return fmt::format("{} steps in all", a.config.step_limit);
}

// All that is left waits for what Forkloom does not see: the first that does stands for them.
void name_watcher(const arena& a, trace& result) {
  bool first = true;
  a.schedule.watchers.for_each([&](task_id task) {
    if (!std::exchange(first, false)) return;
    result.culprit = task;
    result.detail =
        fmt::format("{} for a descriptor that Forkloom does not schedule", name(a[task].pending));
  });
}

// Events, stacks and what passed, with addresses that mean the same in whatever process they were.
void take_events(const arena& a, trace& result) {
  images programs(a);
  result.events.resize(a.log.event_count());
  a.log.for_each_event([&](std::uint32_t number, const event& e) { result.events[number] = e; });
  result.stacks.resize(a.stack_count);
  const auto frames_of = [&](task_id task, const auto& stack) {
    std::vector<std::uint64_t> frames;
    for (const auto address : stack)
      if (address != 0) frames.push_back(programs.in_file(task, address));
    return frames;
  };
  std::uint32_t passed = 0;
  for (std::uint32_t number = 0; number <= result.events.size(); ++number) {
    programs.go_on_to(number);
    for (; passed < a.uncontrolled_count && a.uncontrolled[passed].event <= number; ++passed) {
      const auto& call = a.uncontrolled[passed];
      result.passed.push_back({call.name.data(), frames_of(call.task, call.stack)});
    }
    if (number == result.events.size()) break;
    auto& e = result.events[number];
    if (e.op == operation::exec) e.stack = 0;  // the new program tells of it, the old one called
    e.site = programs.in_file(e.task, e.site);
    if (e.stack != 0) result.stacks[e.stack - 1] = frames_of(e.task, a.stacks[e.stack - 1]);
    programs.note_birth(e);
  }
  result.modules = programs.take_files();
}

void take_schedule(const arena& a, trace& result) {
  result.schedule.resize(a.log.pick_count());
  result.pick_kinds.resize(a.log.pick_count());
  a.log.for_each_pick([&](const numbered_pick& pick) {
    result.schedule[pick.number] = pick.task;
    result.pick_kinds[pick.number] = pick.kind;
  });
  result.draws.resize(a.log.draw_count());
  a.log.for_each_draw([&](const numbered_draw& draw) {
    result.draws[draw.number] = {.step = draw.step, .value = draw.value, .bound = draw.bound};
  });
  for (std::size_t i = 1; i < result.draws.size(); ++i)
    if (result.draws[i].step == result.draws[i - 1].step)
      result.draws[i].nth = result.draws[i - 1].nth + 1;
}

// Beyond that many, resources share one entry: who waits for what, and which accesses are to the
// same place, is not told apart any more.
void name_overflow(const arena& a, trace& result) {
  if (a.resources.overflowed())
    result.passed.push_back({fmt::format("resources beyond the first {}", resource_capacity), {}});
}

}  // namespace

trace to_trace(const arena& a) {
  trace result;
  take_events(a, result);
  name_overflow(a, result);
  result.tasks = tasks_of(a);
  result.resources = resources_of(a);
  result.failures = failures_of(a);
  take_schedule(a, result);
  result.how = a.schedule.how;
  result.detail = detail_of(a);
  if (a.schedule.how == ending::uncontrolled) name_watcher(a, result);
  result.steps = a.schedule.step;
  result.switches = a.schedule.switches;
  result.hash = a.schedule.hash;
  result.choices_log2 = a.schedule.choices_log2;
  result.fault_chances.assign(a.faults.chances.begin(), a.faults.chances.end());
  return result;
}

}  // namespace forkloom::execution
