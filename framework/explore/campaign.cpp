#include "framework/explore/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "forkloom/error.hpp"
#include "framework/explore/checked_options.hpp"
#include "framework/explore/coverage_book.hpp"
#include "framework/explore/estimates.hpp"
#include "framework/explore/explain.hpp"
#include "framework/explore/explorer.hpp"
#include "framework/explore/fault_tally.hpp"
#include "framework/explore/finding_maker.hpp"
#include "framework/explore/progress.hpp"
#include "framework/explore/result_json.hpp"
#include "framework/explore/runner.hpp"
#include "framework/explore/sources.hpp"
#include "framework/explore/strategy_spec.hpp"
#include "framework/explore/suppression.hpp"
#include "framework/explore/worker.hpp"
#include "framework/strategy/random.hpp"
#include "framework/trace/counted.hpp"
#include "framework/trace/divergence.hpp"
#include "framework/trace/fault_plan.hpp"

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
      : options_(how),
        checkers_(chosen_checkers(how)),
        spec_(parse_strategy(how.strategy)),
        allowed_{parse_faults(how.faults), how.timeouts},
        faults_(allowed_.faults),
        run_(scenario, how, context),
        findings_(run_, scenario.name, checkers_, how) {
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
    result_.faults = faults_.counts();
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
    finding f{.replays = 1};
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
    result_.faults = faults_.counts();
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
    auto f = findings_.make(number, {what, std::move(t), std::move(found)});
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
    faults_.add(t);
    result_.message = trouble(t);
    if (result_.message.empty()) return true;
    result_.how = verdict::error;
    result_.uncontrolled.push_back(result_.message);
    return false;
  }

  // Once for each line of the user's.
  void note_uncontrolled(const trace& t, const uncontrolled_record& call) {
    const auto line = users_line(t, call.stack);
    auto text = line.empty() ? call.name : fmt::format("{} at {}", call.name, line);
    auto& lines = result_.uncontrolled;
    if (std::find(lines.begin(), lines.end(), text) == lines.end())
      lines.push_back(std::move(text));
  }

  static std::string departure(const replay_token& token, const trace& t,
                               const std::optional<trace>& recorded) {
    if (recorded)
      if (auto text = describe_divergence(*recorded, t); !text.empty()) return text;
    return fmt::format(
        "the replay departed: the token is of an execution of {} steps with trace hash {:016x}; "
        "this one had {} steps and {:016x}. Has the scenario changed since? A failure file "
        "(--save) shows the step",
        token.steps, token.hash, t.steps, t.hash);
  }

  const options& options_;
  std::vector<checkers::checker> checkers_;
  strategy_spec spec_;
  hazards allowed_;
  fault_tally faults_;
  runner run_;
  finding_maker findings_;
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
