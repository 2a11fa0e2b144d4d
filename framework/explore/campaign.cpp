#include "framework/explore/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "forkloom/error.hpp"
#include "framework/explore/checked_options.hpp"
#include "framework/explore/confirm.hpp"
#include "framework/explore/coverage_book.hpp"
#include "framework/explore/estimates.hpp"
#include "framework/explore/explain.hpp"
#include "framework/explore/explorer.hpp"
#include "framework/explore/progress.hpp"
#include "framework/explore/result_json.hpp"
#include "framework/explore/runner.hpp"
#include "framework/explore/shrink_failure.hpp"
#include "framework/explore/smaller_program.hpp"
#include "framework/explore/sources.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "framework/explore/suppression.hpp"
#include "framework/explore/worker.hpp"
#include "framework/strategy/random.hpp"
#include "framework/trace/counted.hpp"
#include "framework/trace/divergence.hpp"
#include "framework/trace/fault_plan.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom::explore {
namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point begin) {
  return std::chrono::duration<double>(clock::now() - begin).count();
}

// An execution that says nothing about the scenario, because it could not be carried out or was not
// under control. Such a campaign ends as an error.
std::string trouble(const trace& t) {
  switch (t.how) {
    case ending::uncontrolled:
      return fmt::format("{} is not under control: it sleeps in {}", t.task_name(t.culprit),
                         t.detail);
    case ending::task_limit:
      return fmt::format(
          "more than {} tasks: the scenario forks without end, or is too large for one execution",
          execution::task_capacity);
    case ending::failed:
      return t.detail;
    default:
      return {};
  }
}

// The longest of three random walks.
estimate measure(runner& run, std::uint64_t campaign_seed) {
  constexpr std::uint64_t walks = 3;
  estimate longest;
  interest_book interests;
  for (std::uint64_t i = 0; i < walks && !run.interrupted(); ++i) {
    const auto t =
        run.run(strategy::random_walk{}, strategy::execution_seed(campaign_seed, i), tracing::lean);
    longest.k = std::max(longest.k, static_cast<std::uint32_t>(t.steps));
    longest.n = std::max(longest.n, t.tasks.size());
    interests.add(t);
  }
  longest.interests = interests.all();
  return longest;
}

bool is_expected(const options& how, const violation& v) {
  return std::find(how.expects.begin(), how.expects.end(), v.kind) != how.expects.end();
}

void judge(campaign_result& result, const options& how) {
  if (result.how == verdict::error) return;
  const auto surprise = [&](const finding& f) {
    return std::any_of(f.violations.begin(), f.violations.end(),
                       [&](const violation& v) { return !is_expected(how, v); });
  };
  const bool found = std::any_of(result.findings.begin(), result.findings.end(),
                                 [](const finding& f) { return !f.violations.empty(); });
  if (std::any_of(result.findings.begin(), result.findings.end(), surprise)) {
    result.how = verdict::violated;
  } else if (!how.expects.empty() && !found) {
    std::string kinds;
    for (const auto kind : how.expects)
      kinds += (kinds.empty() ? "" : " or ") + std::string(name(kind));
    result.how = verdict::violated;
    result.message = fmt::format("expected {} to be found, but {} found nothing", kinds,
                                 counted(result.executions, "execution"));
  }
}

class campaign {
 public:
  campaign(const scenario_info& scenario, const options& how, const worker_context& context)
      : scenario_(scenario),
        options_(how),
        checkers_(chosen_checkers(how)),
        spec_(parse_strategy(how.strategy)),
        allowed_{parse_faults(how.faults), how.timeouts},
        run_(scenario, how, context) {
    result_.scenario = scenario.name;
    result_.strategy = how.strategy;
    result_.seed = how.seed;
    result_.isolation = context.world.description();
    result_.expected = how.expects;
  }

  campaign_result explore() {
    const auto begin = clock::now();
    const auto explorer =
        make_explorer(spec_, {.seed = options_.seed,
                              .may_befall = allowed_,
                              .measure = [&] { return measure(run_, options_.seed); },
                              .coverage = &seen_});
    progress_line progress(result_.scenario, options_.progress);
    result_.guarantee = explorer->guarantee();
    for (std::uint64_t number = 0; number < options_.executions; ++number) {
      const auto attempt = explorer->next(number);
      if (!attempt || !execute(number, *attempt, *explorer)) break;
      progress.show(seen_);
      if (options_.time.count() > 0 && clock::now() - begin >= options_.time) break;
      result_.coverage.saturated = options_.until_saturated && seen_.saturated();
      if (result_.coverage.saturated) break;
    }
    progress.finish(seen_);
    result_.conclusion = explorer->conclusion();
    name_faults();
    result_.seconds = seconds_since(begin);
    sum_up(explorer->samples());
    judge(result_, options_);
    return std::move(result_);
  }

  campaign_result replay(const replay_token& token, const std::optional<trace>& recorded) {
    const auto begin = clock::now();
    run_.use_program(token.program);
    auto t = run_.run(make(spec_), token.seed, tracing::full);
    if (run_.program().missing)
      throw usage_error(
          fmt::format("the token is of generated program {}, which the scenario does "
                      "not make; has it changed since?",
                      token.program));
    account(t, token.seed);
    auto f = blank_finding(t, 0, {.spec = to_string(spec_), .seed = token.seed});
    f.replays = 1;
    find_sources(t);
    auto judged = check(t, checkers_, options_);
    f.violations = std::move(judged.violations);
    result_.suppressed = judged.suppressed;
    if (t.hash != token.hash || t.steps != token.steps)
      f.divergence = departure(token, t, recorded);
    else
      f.reproduced = 1;
    f.token = encode(token);
    f.what_happened = std::move(t);
    result_.findings.push_back(std::move(f));
    name_faults();
    result_.seconds = seconds_since(begin);
    judge(result_, options_);
    return std::move(result_);
  }

 private:
  // A way to fail as it was seen first, and where it is told of.
  struct known_failure {
    std::vector<violation> found;
    std::size_t finding;
  };

  // False when the campaign is over.
  bool execute(std::uint64_t number, const attempt& what, explorer& told_of_it) {
    run_.expose_to(what.may_befall.value_or(allowed_));
    auto t = run_.run(what.strategy, what.seed, tracing::lean);
    if (run_.interrupted()) {
      result_.message = "stopped by a signal";
      result_.how = verdict::error;
      return false;
    }
    if (!account(t, what.seed)) return false;
    auto judged = check(t, checkers_, options_);
    auto& found = judged.violations;
    result_.suppressed += judged.suppressed;
    take_in(t, what, !found.empty());
    told_of_it.learn(t, !found.empty());
    if (found.empty()) return true;
    if (auto* known = find_like(found); known != nullptr) {
      ++known->occurrences;
      return true;
    }
    if (is_quiet(found)) return true;
    const auto as_found = found;
    auto f = explained(number, {what, std::move(t), std::move(found)});
    if (f.violations.empty()) {
      quiet_.push_back(as_found);
      result_.suppressed += as_found.size();
      return true;
    }
    take_up(std::move(f), as_found);
    return options_.keep_going;
  }

  // What failed differently may come to the same when it is made smaller.
  void take_up(finding f, const std::vector<violation>& as_found) {
    auto& all = result_.findings;
    const auto same = std::find_if(all.begin(), all.end(), [&](const finding& other) {
      return same_failure(other.violations, f.violations);
    });
    known_.push_back({as_found, static_cast<std::size_t>(same - all.begin())});
    if (same == all.end())
      all.push_back(std::move(f));
    else
      ++same->occurrences;
  }

  finding explained(std::uint64_t number, failure first) {
    const bool shrinks = shall_shrink(first.found);
    auto small = shrinks ? with_smaller_program(run_, std::move(first), checkers_, options_)
                         : std::move(first);
    auto f = blank_finding(small.what_happened, number, small.how);
    auto told = explain_small(f, small.how, std::move(small.what_happened), small.found);
    f.replays = options_.replays;
    f.reproduced = told.reproduced;
    f.divergence = std::move(told.divergence);
    f.violations = std::move(told.violations);
    f.what_happened = std::move(told.what_happened);
    if (f.shrunk && small.given_up_after_ms > 0)
      f.shrunk->given_up_after_ms = small.given_up_after_ms;
    confirm_predictions(f);
    run_.use_program("");
    return f;
  }

  void take_in(const trace& t, const attempt& what, bool failed) {
    seen_.add(coverage_of(t));
    if (failed) ++result_.estimates.failed;
    if (what.spec == "random") schedules_.add(t.choices_log2);
  }

  // What was seen, and what that means for what was not.
  void sum_up(bool sampled) {
    auto& c = result_.coverage;
    c.classes = seen_.classes();
    c.orderings = seen_.orderings();
    c.lock_states = seen_.lock_states();
    c.last_new = seen_.last_new();
    if (sampled)
      result_.estimates =
          estimates_from(seen_, schedules_, result_.estimates.failed, options_.keep_going);
  }

  // Explains the execution, or a smaller one that fails in the same way; the finding then has that
  // one's token.
  explanation explain_small(finding& f, const attempt& what, trace t,
                            const std::vector<violation>& found) {
    auto small = shall_shrink(found)
                     ? shrink_failure(run_, what.seed, t, found, checkers_, options_)
                     : std::nullopt;
    if (!small) return explain(run_, what.strategy, what.seed, t, found, checkers_, options_);
    const auto& smaller = small->what_happened;
    small->how.original =
        std::exchange(f.token, blank_finding(smaller, 0, {.spec = "", .seed = what.seed}).token);
    const auto made = schedule_of(smaller);
    auto told = explain(run_, strategy::replay(made), what.seed, smaller, small->violations,
                        checkers_, options_);
    small->how.preemptions = preemptions_of(told.what_happened);
    f.shrunk = std::move(small->how);
    return told;
  }

  [[nodiscard]] bool shall_shrink(std::span<const violation> found) const {
    const bool surprises = std::any_of(
        found.begin(), found.end(), [&](const violation& v) { return !is_expected(options_, v); });
    return options_.shrink_budget > 0 &&
           options_.shrink >= (surprises ? shrink_what::surprises : shrink_what::everything);
  }

  finding* find_like(std::span<const violation> found) {
    const auto like = std::find_if(known_.begin(), known_.end(), [&](const known_failure& k) {
      return same_failure(k.found, found);
    });
    return like == known_.end() ? nullptr : &result_.findings[like->finding];
  }

  // Is it known that these are suppressed by their source lines?
  bool is_quiet(std::span<const violation> found) {
    const bool quiet = std::any_of(quiet_.begin(), quiet_.end(),
                                   [&](const auto& known) { return same_failure(known, found); });
    if (quiet) result_.suppressed += found.size();
    return quiet;
  }

  bool account(const trace& t, std::uint64_t seed) {
    ++result_.executions;
    result_.steps += t.steps;
    result_.switches += t.switches;
    if (options_.hashes) result_.hashes.push_back({.seed = seed, .steps = t.steps, .hash = t.hash});
    for (const auto& call : t.passed) note_uncontrolled(t, call);
    count_faults(t);
    result_.message = trouble(t);
    if (result_.message.empty()) return true;
    result_.how = verdict::error;
    result_.uncontrolled.push_back(result_.message);
    return false;
  }

  void count_faults(const trace& t) {
    if (allowed_.faults.empty()) return;
    result_.faults.resize(fault_kind_count);  // for the moment, all of them
    for (std::size_t kind = 0; kind < fault_kind_count; ++kind)
      result_.faults[kind].chances += t.fault_chances[kind];
    for (const auto& e : t.events)
      if (e.op == operation::fault && fault_of(e) != fault_kind::count_)
        ++result_.faults[index(fault_of(e))].happened;
  }

  void name_faults() {
    std::vector<fault_count> wanted;
    for (std::size_t kind = 0; kind < result_.faults.size(); ++kind) {
      if (allowed_.faults.most[kind] == 0) continue;
      wanted.push_back(result_.faults[kind]);
      wanted.back().name = name(fault_kind(kind));
    }
    result_.faults = std::move(wanted);
  }

  // Once for each line of the user's.
  void note_uncontrolled(const trace& t, const uncontrolled_record& call) {
    const auto line = users_line(t, call.stack);
    auto text = line.empty() ? call.name : fmt::format("{} at {}", call.name, line);
    auto& lines = result_.uncontrolled;
    if (std::find(lines.begin(), lines.end(), text) == lines.end())
      lines.push_back(std::move(text));
  }

  // Steers into each deadlock that was predicted, and says whether it came to that.
  void confirm_predictions(finding& f) {
    for (auto& v : f.violations) {
      if (v.kind != violation_kind::lock_order) continue;
      const auto [deadlock, steered] = confirm(run_, f.what_happened, v, options_.seed);
      v.message += deadlock ? " (confirmed)" : " (not confirmed)";
      if (deadlock)
        v.details.push_back(
            fmt::format("confirmed: steered into it, an execution deadlocked; forkloom replay {}",
                        token_of(*deadlock, {.strategy = {}, .spec = {}, .seed = options_.seed})));
      else
        v.details.push_back(fmt::format("not confirmed: {} steered into it did not deadlock",
                                        steered == 1
                                            ? "1 execution that was"
                                            : fmt::format("{} executions that were", steered)));
    }
  }

  std::string token_of(const trace& t, const attempt& what) {
    const auto exposed = run_.exposed_to();
    return encode({.scenario = scenario_hash(scenario_.name),
                   .strategy = what.spec.empty() ? spec_of(t) : what.spec,
                   .seed = what.seed,
                   .processes = options_.processes,
                   .progress_limit = options_.progress_limit,
                   .step_limit = options_.step_limit,
                   .steps = t.steps,
                   .hash = t.hash,
                   .program = run_.program().wanted,
                   .faults = exposed.faults,
                   .timeouts = exposed.timeouts});
  }

  finding blank_finding(const trace& t, std::uint64_t number, const attempt& what) {
    finding f;
    f.execution = number;
    f.token = token_of(t, what);
    return f;
  }

  // The whole schedule, for an execution that no seed gives again.
  static std::string spec_of(const trace& t) {
    return to_string({.which = strategy_family::schedule,
                      .schedule = std::make_shared<const schedule>(schedule_of(t))});
  }

  static std::string departure(const replay_token& token, const trace& t,
                               const std::optional<trace>& recorded) {
    if (recorded)
      if (auto text = describe_divergence(*recorded, t); !text.empty()) return text;
    return fmt::format(
        "the replay departed: the token is of an execution of {} steps with trace hash {:016x}; "
        "this "
        "one had {} steps and {:016x}. Has the scenario changed since? A failure file (--save) "
        "shows "
        "the step",
        token.steps, token.hash, t.steps, t.hash);
  }

  const scenario_info& scenario_;
  const options& options_;
  std::vector<checkers::checker> checkers_;
  strategy_spec spec_;
  hazards allowed_;
  runner run_;
  coverage_book seen_;
  schedule_count schedules_;
  campaign_result result_;

  std::vector<known_failure> known_;
  // Of these violations none was left when source lines were known.
  std::vector<std::vector<violation>> quiet_;
};

campaign_result in_worker(const scenario_info& scenario, const options& how,
                          const std::function<campaign_result(campaign&)>& work) {
  validate(scenario, how);
  // Mistakes are told before anything is forked.
  static_cast<void>(parse_strategy(how.strategy));
  static_cast<void>(parse_faults(how.faults));
  static_cast<void>(chosen_checkers(how));
  static_cast<void>(suppressions(how.suppress));
  const auto answer = run_in_worker([&](const worker_context& context) {
    campaign c(scenario, how, context);
    const auto packed = nlohmann::json::to_cbor(work(c));
    return std::string(packed.begin(), packed.end());
  });
  return nlohmann::json::from_cbor(answer).get<campaign_result>();
}

}  // namespace

campaign_result run_campaign(const scenario_info& scenario, const options& how) {
  return in_worker(scenario, how, [](campaign& c) { return c.explore(); });
}

campaign_result replay(const scenario_info& scenario, const replay_token& token, const options& how,
                       const std::optional<trace>& recorded) {
  if (token.scenario != scenario_hash(scenario.name))
    throw usage_error(
        fmt::format("the token was not made by scenario \"{}\"; has the scenario been renamed?",
                    scenario.name));
  auto adjusted = how;
  adjusted.strategy = token.strategy;
  adjusted.processes = token.processes;
  adjusted.progress_limit = token.progress_limit;
  adjusted.step_limit = token.step_limit;
  adjusted.faults = to_string(token.faults);
  adjusted.timeouts = token.timeouts;
  return in_worker(scenario, adjusted, [&](campaign& c) { return c.replay(token, recorded); });
}

}  // namespace forkloom::explore
