#include "framework/cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <string_view>

#include "forkloom/error.hpp"
#include "framework/cli/names.hpp"
#include "framework/cli/numbers.hpp"
#include "framework/cli/program_options.hpp"
#include "framework/trace/fault_plan.hpp"

namespace forkloom::cli {
namespace {

constexpr auto hour = std::chrono::milliseconds(3'600'000);
constexpr auto any64 = std::numeric_limits<std::uint64_t>::max();
constexpr auto any32 = std::numeric_limits<std::uint32_t>::max();

// The names are CLI11's extra arguments, not an option of its: it takes "[tag]" for a list in
// brackets and strips them.
void accept_patterns(CLI::App& app) {
  app.allow_extras();
  app.footer(
      "NAME (any number of them, quoted): a scenario's name; a pattern with * and ?; or tags:\n"
      "[bank], [bank][broken] for both, ~[slow] for those without.");
}

void add_run_options(CLI::App& app, option_texts& how) {
  app.add_option("--executions", how.executions, "At most N executions of each scenario")
      ->type_name("N");
  app.add_option("--seed", how.seed, "The campaign's seed: the same seed, the same interleavings")
      ->type_name("S");
  app.add_option("--strategy", how.strategy,
                 "How tasks are picked: random, pct:3, …; see `forkloom strategies`")
      ->type_name("NAME");
  app.add_option("--time", how.time, "Stop each scenario after this time: 500ms, 30s, 5m, 2h")
      ->type_name("TIME");
  app.add_option("--processes", how.processes, "For processes declared without a number, 1 … 1024")
      ->type_name("N");
  app.add_option("--faults", how.faults,
                 "What may befall a process, at most N times: kill:1,eintr:2; `forkloom faults`")
      ->type_name("A:N,B:N");
  app.add_option("--timeouts", how.timeouts,
                 "When time-outs fire: idle (nobody else can go on), race (at any time), never")
      ->type_name("POLICY");
  app.add_option("--checkers", how.checkers, "Only these, with commas; see `forkloom checkers`")
      ->type_name("A,B");
  app.add_option("--step-limit", how.step_limit, "Steps of an execution in all, 1 … 900000")
      ->type_name("N");
  app.add_option("--progress-limit", how.progress_limit, "Steps since something last changed")
      ->type_name("N");
  app.add_option("--hang-limit", how.hang_limit, "Processor time within one step: 2s")
      ->type_name("TIME");
  app.add_option("--bypass-max", how.bypass_max, "A waiter overtaken more often starves")
      ->type_name("N");
  app.add_option("--replays", how.replays, "Replays of a failure before it is reported, 1 … 1000")
      ->type_name("N");
  app.add_flag("--until-saturated", how.until_saturated,
               "Stop a scenario when its executions show nothing new any more");
  app.add_flag("--progress", how.progress,
               "Tell on stderr how far it is, also where that is no terminal");
  app.add_option("--shrink-budget", how.shrink_budget,
                 "Executions to make a failure small with; 0: none")
      ->type_name("N");
  app.add_flag("--no-shrink", how.no_shrink, "Report failures as they were found");
  app.add_option("--suppress", how.suppress,
                 "Do not tell violations of that kind whose resource or line matches")
      ->type_name("KIND:PATTERN")
      ->allow_extra_args(false);
  app.add_option("--suppressions", how.suppressions, "The same, one a line of a file")
      ->type_name("FILE");
  app.add_flag("--keep-going", how.keep_going, "Go on after a scenario's first violation");
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

// All option names of a parser, for "did you mean".
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

[[noreturn]] void refuse(const CLI::App& app, const std::string& why) {
  const auto* chosen = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const auto name = chosen == &app ? std::string{} : chosen->get_name() + " ";
  throw usage_error(
      fmt::format("{}{} See `forkloom {}--help`", why, why.ends_with('?') ? "" : ".", name));
}

[[noreturn]] void refuse_option(const CLI::App& app, const CLI::App& chosen,
                                const std::string& text) {
  const auto option = text.substr(0, text.find('='));
  refuse(app,
         fmt::format("unknown option '{}'.{}", text, did_you_mean(option, option_names(chosen))));
}

// CLI11 reports unknown arguments as a lot; the first one is what needs explaining.
[[noreturn]] void refuse_extras(const CLI::App& app) {
  const auto* chosen = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
  const auto extra = app.remaining(true).front();
  if (extra.starts_with('-')) refuse_option(app, *chosen, extra);
  if (chosen != &app) refuse(app, fmt::format("unexpected argument '{}'", extra));
  const std::vector<std::string> commands{"list",     "run",        "replay",
                                          "checkers", "strategies", "faults"};
  refuse(app, fmt::format("unknown command '{}'.{}", extra, did_you_mean(extra, commands)));
}

// What accept_patterns() collected.
std::vector<std::string> patterns_of(const CLI::App& app, const CLI::App& chosen) {
  auto patterns = chosen.remaining();
  for (const auto& pattern : patterns)
    if (pattern.starts_with('-')) refuse_option(app, chosen, pattern);
  return patterns;
}

class parser {
 public:
  parser() {
    app_.set_help_flag("-h,--help", "Show this help");
    app_.set_version_flag("--version", "forkloom " FORKLOOM_VERSION);
    app_.require_subcommand(1);

    list_ = app_.add_subcommand("list", "Show the scenarios");
    accept_patterns(*list_);
    list_->add_flag("--json", list_request_.json, "As JSON");

    run_ = app_.add_subcommand("run", "Explore scenarios; all of them with `forkloom run '*'`");
    accept_patterns(*run_);
    add_run_options(*run_, run_request_.how);
    add_program_options(*run_, texts_);
    run_->footer(
        run_->get_footer() +
        "\nPrograms that nobody changed: forkloom run [options] -- ./server 5000 :: ./client "
        "5000");
    run_->add_option("--save", run_request_.save, "Write each failure to a file in that directory")
        ->type_name("DIR");
    run_->add_option("--hashes", run_request_.hashes, "Write each execution's trace hash to a file")
        ->type_name("FILE");
    run_->add_flag("--json", run_request_.json, "Results as JSON on stdout");
    run_->add_flag("--quiet", run_request_.quiet, "One line a scenario, two a finding");
    run_->add_flag("--verbose", run_request_.verbose, "Every finding in full, with every step");

    replay_ = app_.add_subcommand("replay", "Run one execution again and explain it");
    replay_->add_option("TOKEN|FILE", replay_request_.what, "Replay token, or file made by --save")
        ->required();
    add_program_options(*replay_, texts_);
    replay_->add_flag("--json", replay_request_.json, "Result as JSON on stdout");
    replay_->add_flag("--verbose", replay_request_.verbose, "Show every step");

    checkers_ = app_.add_subcommand("checkers", "Show what is looked for");
    strategies_ = app_.add_subcommand("strategies", "Show how interleavings are chosen");
    faults_ = app_.add_subcommand("faults", "Show what may befall a process");
    app_.footer(
        "Exit codes: 0 as expected, 1 a violation or the expected was not found, 2 usage,\n"
        "3 uncontrolled or internal error, 128 + n after signal n.\n"
        "Environment: FORKLOOM_EXECUTIONS, FORKLOOM_SEED, FORKLOOM_STRATEGY, FORKLOOM_FAULTS,\n"
        "FORKLOOM_TIMEOUTS, FORKLOOM_SHRINK (below options),\n"
        "FORKLOOM_REPLAY=TOKEN (run only that execution), COLUMNS, NO_COLOR.");
  }

  any_request parse(int argc, const char* const* argv) {
    // What follows "--" is not for CLI11 to look at.
    const auto* const end = argv + argc;
    const auto* const dashes =
        std::find_if(argv, end, [](const char* word) { return std::string_view(word) == "--"; });
    if (dashes != end) words_.emplace(dashes + 1, end);
    try {
      app_.parse(static_cast<int>(dashes - argv), argv);
    } catch (const CLI::CallForHelp&) {
      return show_text{app_.help()};
    } catch (const CLI::CallForVersion&) {
      return show_text{"forkloom " FORKLOOM_VERSION "\n"};
    } catch (const CLI::ExtrasError&) {
      refuse_extras(app_);
    } catch (const CLI::RequiredError&) {
      refuse_missing();
    } catch (const CLI::ParseError& error) {
      refuse(app_, error.what());
    }
    return chosen();
  }

 private:
  [[noreturn]] void refuse_missing() {
    if (replay_->parsed()) refuse(app_, "replay: name a token or a failure file");
    // With a command missing, CLI11 has not looked at what else is there.
    if (!app_.remaining(true).empty()) refuse_extras(app_);
    refuse(app_, "no command: use list, run, replay, checkers, strategies or faults");
  }

  any_request chosen() {
    if (words_ && !run_->parsed() && !replay_->parsed())
      refuse(app_, "'--' and programs are for run and replay");
    if (list_->parsed()) {
      list_request_.patterns = patterns_of(app_, *list_);
      return std::move(list_request_);
    }
    if (replay_->parsed()) {
      replay_request_.programs = programs_of(texts_, words_);
      return std::move(replay_request_);
    }
    if (run_->parsed()) return chosen_run();
    if (checkers_->parsed()) return show_checkers{};
    if (faults_->parsed()) return show_faults{};
    return show_strategies{};
  }

  any_request chosen_run() {
    run_request_.patterns = patterns_of(app_, *run_);
    run_request_.programs = programs_of(texts_, words_);
    if (run_request_.programs && !run_request_.patterns.empty())
      throw usage_error("run: name scenarios, or programs after '--', not both");
    if (!run_request_.programs && run_request_.patterns.empty())
      throw usage_error("run: name a scenario, or run them all with `forkloom run '*'`");
    return std::move(run_request_);
  }

  CLI::App app_{"Finds, explains and reproduces concurrency bugs between processes", "forkloom"};
  CLI::App* list_ = nullptr;
  CLI::App* run_ = nullptr;
  CLI::App* replay_ = nullptr;
  CLI::App* checkers_ = nullptr;
  CLI::App* strategies_ = nullptr;
  CLI::App* faults_ = nullptr;
  list_request list_request_;
  run_request run_request_;
  replay_request replay_request_;
  program_texts texts_;
  std::optional<std::vector<std::string>> words_;  // after "--"
};

}  // namespace

options overridden(options how, const option_texts& texts) {
  const auto number = [](const char* option, const auto& text, auto& target, std::uint64_t least,
                         std::uint64_t most) {
    using number_type = std::remove_reference_t<decltype(target)>;
    if (text) target = static_cast<number_type>(parse_number(option, *text, least, most));
  };
  number("--executions", texts.executions, how.executions, 1, any64);
  number("--seed", texts.seed, how.seed, 0, any64);
  number("--processes", texts.processes, how.processes, 1, 1'024);
  number("--step-limit", texts.step_limit, how.step_limit, 1, 900'000);
  number("--progress-limit", texts.progress_limit, how.progress_limit, 1, any64);
  number("--bypass-max", texts.bypass_max, how.bypass_max, 1, any32);
  number("--replays", texts.replays, how.replays, 1, 1'000);
  number("--shrink-budget", texts.shrink_budget, how.shrink_budget, 0, any64);
  if (texts.no_shrink) how.shrink_budget = 0;
  if (texts.time) how.time = parse_time("--time", *texts.time, 1'000 * hour);
  if (texts.hang_limit) how.hang_limit = parse_time("--hang-limit", *texts.hang_limit, hour);
  if (texts.strategy) how.strategy = *texts.strategy;
  if (texts.faults) how.faults = *texts.faults;
  if (texts.timeouts) how.timeouts = parse_timeouts(*texts.timeouts);
  if (texts.checkers) how.checkers = split_at_commas(*texts.checkers);
  how.suppress.insert(how.suppress.end(), texts.suppress.begin(), texts.suppress.end());
  how.keep_going = how.keep_going || texts.keep_going;
  how.until_saturated = how.until_saturated || texts.until_saturated;
  how.progress = how.progress || texts.progress;
  return how;
}

std::set<std::string_view> overridden_variables(const option_texts& texts) {
  std::set<std::string_view> found;
  if (texts.executions) found.insert("FORKLOOM_EXECUTIONS");
  if (texts.seed) found.insert("FORKLOOM_SEED");
  if (texts.strategy) found.insert("FORKLOOM_STRATEGY");
  if (texts.faults) found.insert("FORKLOOM_FAULTS");
  if (texts.timeouts) found.insert("FORKLOOM_TIMEOUTS");
  if (texts.shrink_budget || texts.no_shrink) found.insert("FORKLOOM_SHRINK");
  return found;
}

any_request parse_command_line(int argc, const char* const* argv) {
  return parser().parse(argc, argv);
}

}  // namespace forkloom::cli
