#include "tests/unit/explore/toy.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "framework/strategy/systematic.hpp"
#include "tests/catch.hpp"

namespace forkloom::testing {
namespace {

constexpr std::uint64_t draw_bound = 3;

struct meaning {
  operation op;
  resource_kind kind;
  bool changes;
};

meaning meaning_of(char letter) {
  switch (letter) {
    case 'r':
      return {operation::load, resource_kind::memory, false};
    case 'w':
    case 'd':
      return {operation::store, resource_kind::memory, true};
    case 'l':
      return {operation::mutex_lock, resource_kind::mutex, true};
    case 'u':
      return {operation::mutex_unlock, resource_kind::mutex, true};
    case 't':
      return {operation::mutex_trylock, resource_kind::mutex, true};
    case 'p':
      return {operation::sem_wait, resource_kind::semaphore, true};
    case 'v':
      return {operation::sem_post, resource_kind::semaphore, true};
    case 's':
      return {operation::mq_send, resource_kind::message_queue, true};
    case 'g':
      return {operation::mq_receive, resource_kind::message_queue, true};
    default:
      return {operation::yield, resource_kind::unknown, false};
  }
}

// The state between two steps.
struct state {
  std::vector<std::size_t> at;         // by task: where in its word
  std::vector<bool> waits;             // by task: tried in vain, and nothing has changed since
  std::map<char, int> values;          // of semaphores and queues; of mutexes 1 + the holder
  std::map<char, std::string> orders;  // by object: its canonical history
  std::map<char, std::set<std::string>> looks;  // since the last change
};

char letter_of(const toy& p, const state& s, std::size_t task) { return p[task][s.at[task]]; }
char object_of(const toy& p, const state& s, std::size_t task) { return p[task][s.at[task] + 1]; }
bool is_over(const toy& p, const state& s, std::size_t task) {
  return s.at[task] >= p[task].size();
}

state first_state(const toy& p) {
  return {std::vector<std::size_t>(p.size()), std::vector<bool>(p.size()), {}, {}, {}};
}

std::vector<std::size_t> enabled_in(const toy& p, const state& s) {
  std::vector<std::size_t> found;
  for (std::size_t t = 0; t < p.size(); ++t)
    if (!is_over(p, s, t) && !s.waits[t]) found.push_back(t);
  return found;
}

bool must_wait(const toy& p, const state& s, std::size_t task) {
  const auto found = s.values.find(object_of(p, s, task));
  const int value = found == s.values.end() ? 0 : found->second;
  switch (letter_of(p, s, task)) {
    case 'l':
      return value != 0;
    case 'p':
    case 'g':
      return value == 0;
    default:
      return false;
  }
}

void wake_waiters(const toy& p, state& s, char object) {
  for (std::size_t t = 0; t < p.size(); ++t)
    if (s.waits[t] && object_of(p, s, t) == object) s.waits[t] = false;
}

void note(state& s, std::size_t task, char object, bool changes, const std::string& extra) {
  const auto name = std::to_string(task) + "." + std::to_string(s.at[task] / 2) + extra;
  if (!changes) {
    s.looks[object].insert(name);
    return;
  }
  auto& order = s.orders[object];
  for (const auto& look : std::exchange(s.looks[object], {})) order += " r" + look;
  order += " w" + name;
}

// Does the task's next operation, which need not wait. Returns whether it failed.
bool carry_out(const toy& p, state& s, std::size_t task, std::uint64_t drawn) {
  const auto letter = letter_of(p, s, task);
  const auto object = object_of(p, s, task);
  bool failed = false;
  switch (letter) {
    case 't':
      failed = s.values[object] != 0;
      [[fallthrough]];
    case 'l':
      if (!failed) s.values[object] = 1 + static_cast<int>(task);
      break;
    case 'u':
      failed = s.values[object] != 1 + static_cast<int>(task);
      if (!failed) s.values[object] = 0;
      break;
    case 'v':
    case 's':
      ++s.values[object];
      break;
    case 'p':
    case 'g':
      --s.values[object];
      break;
    default:
      break;
  }
  if (letter != 'y')
    note(s, task, object, meaning_of(letter).changes && !failed,
         letter == 'd' ? "=" + std::to_string(drawn) : "");
  if (meaning_of(letter).changes && !failed) wake_waiters(p, s, object);
  s.at[task] += 2;
  return failed;
}

std::string text_of(const toy& p, state s) {
  std::string text;
  for (auto& [object, order] : s.orders) {
    for (const auto& look : s.looks[object]) order += " r" + look;
    s.looks.erase(object);
    text += std::string(1, object) + ":" + order + "; ";
  }
  for (const auto& [object, looks] : s.looks) {
    if (looks.empty()) continue;
    text += std::string(1, object) + ":";
    for (const auto& look : looks) text += " r" + look;
    text += "; ";
  }
  for (std::size_t t = 0; t < p.size(); ++t)
    text += is_over(p, s, t) ? "" : "stuck " + std::to_string(t);
  return text;
}

// The real scheduler's part: what the strategy is asked, and what is written down.
class machine {
 public:
  machine(const toy& program, const explore::attempt& how)
      : p_(program), strategy_(how.strategy), s_(first_state(program)), room_(10'000) {
    strategy_.visit([&](auto& strategy) {
      if constexpr (requires { strategy.record_into(room_); }) strategy.record_into(room_);
    });
    strategy::begin(strategy_, how.seed);
  }

  trace run() {
    for (auto enabled = enabled_in(p_, s_); !enabled.empty(); enabled = enabled_in(p_, s_))
      take_step(enabled);
    for (std::size_t t = 0; t < p_.size(); ++t) {
      result_.tasks.push_back({.name = std::to_string(t)});
      if (is_over(p_, s_, t)) continue;
      result_.tasks.back().pending = meaning_of(letter_of(p_, s_, t)).op;
      result_.tasks.back().pending_resource = resource_of(t);
      result_.how = ending::stuck;
    }
    strategy_.visit([&](const auto& strategy) {
      if constexpr (requires { strategy.recorded(); })
        result_.choices.assign(strategy.recorded().begin(), strategy.recorded().end());
    });
    result_.steps = result_.schedule.size();
    return std::move(result_);
  }

 private:
  static strategy::pending_operation pending(const void* context, task_id task) noexcept {
    auto& m = *const_cast<machine*>(static_cast<const machine*>(context));  // NOLINT: numbers
    if (is_over(m.p_, m.s_, index(task))) return {.op = operation::exit};
    const auto what = meaning_of(letter_of(m.p_, m.s_, index(task)));
    return {.op = what.op, .kind = what.kind, .resource = m.resource_of(index(task))};
  }

  resource_id resource_of(std::size_t task) {
    if (letter_of(p_, s_, task) == 'y') return no_resource;
    const auto object = object_of(p_, s_, task);
    const auto next = resource_id(static_cast<std::uint32_t>(numbers_.size()));
    const auto [found, fresh] = numbers_.try_emplace(object, next);
    if (fresh)
      result_.resources.push_back(
          {.name = std::string(1, object), .kind = meaning_of(letter_of(p_, s_, task)).kind});
    return found->second;
  }

  void take_step(const std::vector<std::size_t>& enabled) {
    execution::task_set set;
    for (const auto t : enabled) set.insert(task_id(static_cast<std::uint16_t>(t)));
    // Numbers go by the order in which operations are announced.
    for (std::size_t t = 0; t < p_.size(); ++t)
      if (!is_over(p_, s_, t)) static_cast<void>(resource_of(t));
    const strategy::choice asked{set, current_, yields_, {}, {}, {pending, this}};
    const auto picked = strategy::pick(strategy_, asked);
    REQUIRE(set.contains(picked));
    result_.schedule.push_back(picked);
    result_.pick_kinds.push_back(strategy::kind_of(asked, picked));
    current_ = picked;
    const auto task = index(picked);
    event e{.step = result_.schedule.size(),
            .resource = resource_of(task),
            .task = picked,
            .op = meaning_of(letter_of(p_, s_, task)).op};
    yields_ = letter_of(p_, s_, task) == 'y';
    if (must_wait(p_, s_, task)) {
      s_.waits[task] = true;
      e.how = outcome::blocked;
    } else {
      const auto drawn = letter_of(p_, s_, task) == 'd' ? draw() : 0;
      if (carry_out(p_, s_, task, drawn)) e.error = e.op == operation::mutex_trylock ? 16 : 1;
    }
    result_.events.push_back(e);
  }

  std::uint64_t draw() {
    const auto value = strategy::draw(strategy_, draw_bound);
    REQUIRE(value < draw_bound);
    result_.draws.push_back({.step = static_cast<std::uint32_t>(result_.schedule.size()),
                             .value = static_cast<std::uint32_t>(value),
                             .bound = draw_bound});
    return value;
  }

  const toy& p_;
  strategy::state strategy_;
  state s_;
  std::vector<choice_record> room_;
  trace result_;
  std::map<char, resource_id> numbers_;
  task_id current_ = no_task;
  bool yields_ = false;
};

struct recursion {
  const toy& p;
  unsigned preemptions_max;
  std::set<std::string> found;
  std::set<std::string> classes;

  void go_on(const state& s, const std::string& so_far, std::size_t last, unsigned preemptions) {
    const auto enabled = enabled_in(p, s);
    if (enabled.empty()) {
      found.insert(so_far);
      classes.insert(text_of(p, s));
    }
    const bool yielded =
        last < p.size() && s.at[last] >= 2 && !s.waits[last] && p[last][s.at[last] - 2] == 'y';
    const bool could_go_on = std::count(enabled.begin(), enabled.end(), last) == 1 && !yielded;
    for (const auto task : enabled) {
      if (yielded && task == last && enabled.size() > 1) continue;
      const auto used = preemptions + (could_go_on && task != last ? 1 : 0);
      if (used <= preemptions_max) step(s, so_far, task, used);
    }
  }

  void step(const state& s, const std::string& so_far, std::size_t task, unsigned preemptions) {
    auto next = s;
    const auto text = so_far + std::to_string(task);
    if (must_wait(p, s, task)) {
      next.waits[task] = true;
      return go_on(next, text, task, preemptions);
    }
    const bool draws = letter_of(p, s, task) == 'd';
    for (std::uint64_t value = 0; value < (draws ? draw_bound : 1); ++value) {
      next = s;
      carry_out(p, next, task, value);
      go_on(next, draws ? text + "=" + std::to_string(value) : text, task, preemptions);
    }
  }
};

void add_classes(const toy& p, const state& s, std::set<std::string>& seen,
                 std::set<std::string>& found) {
  const auto text = text_of(p, s);
  std::string whole = text;
  for (const auto at : s.at) whole += "," + std::to_string(at);
  if (!seen.insert(whole).second) return;
  bool last = true;
  for (std::size_t t = 0; t < p.size(); ++t) {
    if (is_over(p, s, t) || must_wait(p, s, t)) continue;
    last = false;
    for (std::uint64_t value = 0; value < (letter_of(p, s, t) == 'd' ? draw_bound : 1); ++value) {
      auto next = s;
      carry_out(p, next, t, value);
      add_classes(p, next, seen, found);
    }
  }
  if (last) found.insert(text);
}

}  // namespace

trace run_toy(const toy& program, const explore::attempt& how) {
  return machine(program, how).run();
}

exploration_result explore_all(const toy& program, explore::explorer& with,
                               std::size_t executions_max) {
  exploration_result result;
  while (result.executions.size() < executions_max) {
    const auto attempt = with.next(result.executions.size());
    if (!attempt) break;
    result.executions.push_back(run_toy(program, *attempt));
    with.learn(result.executions.back(), result.executions.back().how == ending::stuck);
  }
  result.conclusion = with.conclusion();
  return result;
}

std::set<std::string> all_schedules(const toy& program, unsigned preemptions_max) {
  recursion all{program, preemptions_max, {}, {}};
  all.go_on(first_state(program), "", program.size(), 0);
  return all.found;
}

std::set<std::string> all_classes_within(const toy& program, unsigned preemptions_max) {
  recursion all{program, preemptions_max, {}, {}};
  all.go_on(first_state(program), "", program.size(), 0);
  return all.classes;
}

std::set<std::string> all_classes(const toy& program) {
  std::set<std::string> seen;
  std::set<std::string> found;
  add_classes(program, first_state(program), seen, found);
  return found;
}

std::string schedule_text(const trace& what) {
  std::string text;
  auto draw = what.draws.begin();
  for (std::size_t i = 0; i < what.schedule.size(); ++i) {
    text += std::to_string(index(what.schedule[i]));
    for (; draw != what.draws.end() && draw->step == i + 1; ++draw)
      text += "=" + std::to_string(draw->value);
  }
  return text;
}

std::string class_text(const toy& program, const trace& what) {
  auto s = first_state(program);
  auto draw = what.draws.begin();
  for (std::size_t i = 0; i < what.schedule.size(); ++i) {
    const auto task = index(what.schedule[i]);
    if (must_wait(program, s, task)) continue;
    const auto drawn = draw != what.draws.end() && draw->step == i + 1 ? (draw++)->value : 0;
    carry_out(program, s, task, drawn);
  }
  return text_of(program, s);
}

}  // namespace forkloom::testing
