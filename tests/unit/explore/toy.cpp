#include "tests/unit/explore/toy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <numeric>
#include <utility>

#include "framework/strategy/systematic.hpp"
#include "tests/catch.hpp"

namespace forkloom::testing {
namespace {

constexpr std::uint64_t draw_bound = 3;
constexpr int room_in_queue = 2;

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
    case 'c':
      return {operation::send, resource_kind::socket, true};
    case 'z':
      return {operation::cond_wait, resource_kind::condition, true};
    case 'b':
      return {operation::cond_broadcast, resource_kind::condition, true};
    case 'k':
      return {operation::sleep, resource_kind::unknown, true};
    default:
      return {operation::yield, resource_kind::unknown, false};
  }
}

// Of a wait at a condition variable.
enum class phase : std::uint8_t { before, asleep, woken };

// The state between two steps.
struct state {
  std::vector<std::size_t> at;         // by task: where in its word
  std::vector<bool> waits;             // by task: tried in vain, and nothing has changed since
  std::vector<std::size_t> since;      // by task: how many steps there were with its last one
  std::vector<phase> phases;           // by task
  std::map<char, int> values;          // of semaphores and queues; of mutexes 1 + the holder
  std::map<char, std::string> orders;  // by object: its canonical history
  std::map<char, std::set<std::string>> looks;  // since the last change
};

char letter_of(const toy& p, const state& s, std::size_t task) { return p[task][s.at[task]]; }
char object_of(const toy& p, const state& s, std::size_t task) { return p[task][s.at[task] + 1]; }
bool is_over(const toy& p, const state& s, std::size_t task) {
  return s.at[task] >= p[task].size();
}
bool sleeps(const toy& p, const state& s, std::size_t task) {
  return !is_over(p, s, task) && letter_of(p, s, task) == 'k';
}

char other_end(char object) { return static_cast<char>(std::toupper(object)); }

// What its next step is about: who was woken at a condition variable wants the mutex.
char wanted_by(const toy& p, const state& s, std::size_t task) {
  const auto object = object_of(p, s, task);
  return s.phases[task] == phase::woken ? other_end(object) : object;
}

state first_state(const toy& p) {
  return {std::vector<std::size_t>(p.size()),
          std::vector<bool>(p.size()),
          std::vector<std::size_t>(p.size()),
          std::vector<phase>(p.size()),
          {},
          {},
          {}};
}

std::size_t steps_made(const state& s) {
  return std::accumulate(s.at.begin(), s.at.end(), std::size_t{0}) / 2;
}

// The step number at which it is woken.
std::size_t deadline(const toy& p, const state& s, std::size_t task) {
  return s.since[task] + static_cast<std::size_t>(object_of(p, s, task) - '0');
}

// When nobody can go on, the clock jumps to the next deadline.
std::vector<std::size_t> enabled_in(const toy& p, const state& s) {
  std::vector<std::size_t> found;
  const auto now = steps_made(s);
  std::size_t next = ~std::size_t{0};
  for (std::size_t t = 0; t < p.size(); ++t) {
    if (sleeps(p, s, t)) next = std::min(next, deadline(p, s, t));
    if (!is_over(p, s, t) && !s.waits[t] && s.phases[t] != phase::asleep &&
        (!sleeps(p, s, t) || deadline(p, s, t) <= now))
      found.push_back(t);
  }
  if (!found.empty()) return found;
  for (std::size_t t = 0; t < p.size(); ++t)
    if (sleeps(p, s, t) && deadline(p, s, t) == next) found.push_back(t);
  return found;
}

bool must_wait(const toy& p, const state& s, std::size_t task) {
  const auto found = s.values.find(wanted_by(p, s, task));
  const int value = found == s.values.end() ? 0 : found->second;
  switch (letter_of(p, s, task)) {
    case 'l':
      return value != 0;
    case 'p':
    case 'g':
      return value == 0;
    case 's':
      return value == room_in_queue;
    case 'z':
      return s.phases[task] == phase::woken && value != 0;
    default:
      return false;
  }
}

void wake_waiters(const toy& p, state& s, char object) {
  for (std::size_t t = 0; t < p.size(); ++t)
    if (s.waits[t] && wanted_by(p, s, t) == object) s.waits[t] = false;
}

// A deadline is about all that is done: it comes with the number of steps.
void note_time(state& s, std::size_t task) {
  auto& order = s.orders['*'];
  order += " " + std::to_string(task) + " after";
  for (const auto at : s.at) order += " " + std::to_string(at / 2);
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

// The mutex is given back at once, and taken again when somebody has woken the task.
void take_part_of_wait(const toy& p, state& s, std::size_t task) {
  const auto object = object_of(p, s, task);
  const auto mutex = other_end(object);
  if (s.phases[task] == phase::woken) {
    note(s, task, mutex, true, "again");
    s.values[mutex] = 1 + static_cast<int>(task);
    s.phases[task] = phase::before;
    s.at[task] += 2;
    return;
  }
  REQUIRE(s.values[mutex] == 1 + static_cast<int>(task));
  note(s, task, object, true, "");
  note(s, task, mutex, true, "");
  s.values[mutex] = 0;
  s.phases[task] = phase::asleep;
  wake_waiters(p, s, mutex);
}

// Does the task's next operation, which need not wait. Returns whether it failed.
bool carry_out(const toy& p, state& s, std::size_t task, std::uint64_t drawn) {
  const auto letter = letter_of(p, s, task);
  const auto object = object_of(p, s, task);
  bool failed = false;
  if (letter == 'z') {
    take_part_of_wait(p, s, task);
    return false;
  }
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
    case 'b':
      for (std::size_t t = 0; t < p.size(); ++t)
        if (s.phases[t] == phase::asleep && object_of(p, s, t) == object)
          s.phases[t] = phase::woken;
      break;
    default:
      break;
  }
  if (letter != 'y' && letter != 'k')
    note(s, task, object, meaning_of(letter).changes && !failed,
         letter == 'd' ? "=" + std::to_string(drawn) : "");
  if (letter == 'c') note(s, task, other_end(object), true, "");
  if (meaning_of(letter).changes && !failed) wake_waiters(p, s, object);
  s.at[task] += 2;
  s.since[task] = steps_made(s);
  if (letter == 'k' || sleeps(p, s, task)) note_time(s, task);
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
      : p_(program),
        strategy_(how.strategy),
        s_(first_state(program)),
        tried_(program.size()),
        room_(10'000) {
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
    if (what.op == operation::sleep) {
      const auto able = enabled_in(m.p_, m.s_);
      const bool expired = std::count(able.begin(), able.end(), index(task)) > 0;
      return {.op = what.op, .timed = !expired, .expired = expired};
    }
    return {.op = what.op, .kind = m.kind_of(index(task)), .resource = m.resource_of(index(task))};
  }

  // That it wants the mutex is announced only when it has tried to have it.
  [[nodiscard]] resource_kind kind_of(std::size_t task) const {
    return tried_[task] ? resource_kind::mutex : meaning_of(letter_of(p_, s_, task)).kind;
  }

  resource_id resource_of(std::size_t task) {
    const auto kind = kind_of(task);
    if (kind == resource_kind::unknown) return no_resource;
    return resource(tried_[task] ? wanted_by(p_, s_, task) : object_of(p_, s_, task), kind);
  }

  resource_id resource(char object, resource_kind kind) {
    const auto next = resource_id(static_cast<std::uint32_t>(numbers_.size()));
    const auto [found, fresh] = numbers_.try_emplace(object, next);
    if (fresh) result_.resources.push_back({.name = std::string(1, object), .kind = kind});
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
    if (e.op == operation::send || e.op == operation::cond_wait) name_both(e, task);
    if (must_wait(p_, s_, task)) {
      s_.waits[task] = true;
      tried_[task] = e.op == operation::cond_wait;
      e.how = outcome::blocked;
    } else {
      tried_[task] = false;
      const auto drawn = letter_of(p_, s_, task) == 'd' ? draw() : 0;
      if (e.op == operation::cond_wait && s_.phases[task] == phase::before)
        e.how = outcome::blocked;
      if (carry_out(p_, s_, task, drawn)) e.error = e.op == operation::mutex_trylock ? 16 : 1;
    }
    result_.events.push_back(e);
  }

  // The second one is the other end, or the mutex. But who waits for that waits for nothing else.
  void name_both(event& e, std::size_t task) {
    const auto object = object_of(p_, s_, task);
    const bool sends = e.op == operation::send;
    e.resource = resource(object, sends ? resource_kind::socket : resource_kind::condition);
    e.second = resource(other_end(object), sends ? resource_kind::socket : resource_kind::mutex);
    if (must_wait(p_, s_, task)) std::swap(e.resource, e.second);
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
  std::vector<bool> tried_;  // by task: whether it was woken, and wanted the mutex in vain
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
  for (const auto t : enabled_in(p, s)) {
    if (must_wait(p, s, t)) continue;
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
