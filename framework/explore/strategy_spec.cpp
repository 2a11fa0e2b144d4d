#include "framework/explore/strategy_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "forkloom/error.hpp"

namespace forkloom::explore {
namespace {

constexpr std::uint32_t estimate_max = 1'000'000;
constexpr std::uint32_t steps_max = 1'000'000;
constexpr std::uint32_t preemptions_max = 1'000;

constexpr std::array<strategy_description, 14> descriptions{{
    {.which = strategy_family::random,
     .name = "random",
     .parameter = "",
     .what_it_is = "each step goes to any enabled task with the same probability"},
    {.which = strategy_family::sticky,
     .name = "sticky",
     .parameter = "mean length of a run",
     .least = 1,
     .most = steps_max,
     .usual = 10,
     .what_it_is = "who runs goes on, but for one step in N: for bugs that need one task to get\n"
                   "far ahead, as when a queue must fill up"},
    {.which = strategy_family::fair,
     .name = "fair",
     .parameter = "bound on being passed over",
     .least = 1,
     .most = steps_max,
     .usual = 50,
     .what_it_is = "random, but a task that was enabled for N steps without a pick goes next:\n"
                   "what still starves is starved by the program"},
    {.which = strategy_family::round_robin,
     .name = "rr",
     .parameter = "steps of a turn",
     .least = 1,
     .most = steps_max,
     .usual = 1,
     .what_it_is =
         "the tasks take turns of N steps each; one schedule, so one execution is enough"},
    {.which = strategy_family::pct,
     .name = "pct",
     .parameter = "bug depth",
     .least = 1,
     .most = strategy::pct_depth_max,
     .needs_length = true,
     .what_it_is = "priorities with N - 1 changes at random steps; finds a bug of depth N among\n"
                   "n tasks and k steps with probability at least 1 / (n k^(N-1)) each time"},
    {.which = strategy_family::delay,
     .name = "delay",
     .parameter = "number of delays",
     .least = 1,
     .most = strategy::delays_max,
     .usual = 2,
     .needs_length = true,
     .what_it_is = "each task runs until it waits, but N times the next in turn goes instead:\n"
                   "for many tasks, as the search grows with k^N whatever their number"},
    {.which = strategy_family::pos,
     .name = "pos",
     .parameter = "",
     .what_it_is =
         "partial order sampling: random priorities for operations, drawn anew for those\n"
         "that conflict with the one just done; spreads over orders that matter"},
    {.which = strategy_family::schedule,
     .name = "schedule",
     .parameter = "",
     .what_it_is = "schedule:12p1_3p0 is explicit: no preemption, but after 12 steps task 1 goes,\n"
                   "and 3 steps later task 0; as shrunk failures have it in their tokens"},
    {.which = strategy_family::surw,
     .name = "surw",
     .parameter = "",
     .what_it_is =
         "selectively uniform: the order of operations on one thing, another one each time,\n"
         "is drawn evenly from all orders; the rest goes in between at random"},
    {.which = strategy_family::guided,
     .name = "guided",
     .parameter = "",
     .what_it_is =
         "schedules that showed operations in a new order are kept and changed a little:\n"
         "for long campaigns, and for bugs that take several steps to reach"},
    {.which = strategy_family::portfolio,
     .name = "portfolio",
     .parameter = "",
     .what_it_is =
         "several of these in turn, more often those that show something new: the default"},
    {.which = strategy_family::swarm,
     .name = "swarm",
     .parameter = "",
     .what_it_is = "each execution draws a strategy and its parameters: for what no single\n"
                   "configuration shows"},
    {.which = strategy_family::dfs,
     .name = "dfs",
     .parameter = "bound on preemptions",
     .least = 0,
     .most = preemptions_max,
     .usual = no_bound,
     .what_it_is = "every interleaving once, those with few preemptions first; says when that was\n"
                   "all: for programs so small that none may be left out"},
    {.which = strategy_family::dpor,
     .name = "dpor",
     .parameter = "bound on preemptions",
     .least = 0,
     .most = preemptions_max,
     .usual = no_bound,
     .what_it_is = "every interleaving that matters once: of those that differ only in the order\n"
                   "of steps that do not touch each other, one; says when that was all"},
}};

const strategy_description& description(strategy_family which) noexcept {
  return *std::find_if(descriptions.begin(), descriptions.end(),
                       [&](const auto& d) { return d.which == which; });
}

// "pct:N with the bug depth N from 1 to 32"
std::string form(const strategy_description& d) {
  if (d.parameter.empty()) return std::string(d.name);
  const auto usual = d.usual == 0 ? std::string() : fmt::format(", {}", if_left_out(d));
  return fmt::format("{}:N with the {} N from {} to {}{}", d.name, d.parameter, d.least, d.most,
                     usual);
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  std::string known;
  for (const auto& d : descriptions) known += (known.empty() ? "" : "; ") + form(d);
  for (const auto& s : user_strategies()) known += "; " + s.name;
  throw usage_error(fmt::format("unknown strategy \"{}\": {}. Strategies: {}", text, why, known));
}

std::uint32_t number(std::string_view text, std::string_view whole, std::string_view what,
                     std::uint32_t least, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    refuse(whole, fmt::format("its {} must be a whole number from {} to {}", what, least, most));
  return value;
}

// What stands behind the name of one that the user wrote.
strategy_spec written(const user_strategy& s, std::string_view text,
                      std::optional<std::string_view> parameter) {
  strategy_spec spec{.which = strategy_family::user, .written = &s};
  if (!parameter) return spec;
  if (!s.functions.takes_number) refuse(text, fmt::format("{} takes no parameter", s.name));
  spec.has_parameter = true;
  spec.parameter = number(*parameter, text, "number", 0, ~std::uint32_t{0});
  return spec;
}

}  // namespace

std::span<const strategy_description> strategies() noexcept { return descriptions; }

std::string if_left_out(const strategy_description& d) {
  return d.usual == no_bound ? "none if left out" : fmt::format("{} if left out", d.usual);
}

strategy_spec parse_strategy(std::string_view text) {
  const auto colon = text.find(':');
  const auto family = text.substr(0, colon);
  const auto found = std::find_if(descriptions.begin(), descriptions.end(),
                                  [&](const auto& d) { return d.name == family; });
  const auto parameters =
      colon == std::string_view::npos ? std::nullopt : std::optional(text.substr(colon + 1));
  if (const auto* own = find_user_strategy(family)) return written(*own, text, parameters);
  if (found == descriptions.end()) refuse(text, "there is none of that name");
  strategy_spec spec{.which = found->which, .parameter = found->usual};
  if (found->which == strategy_family::schedule) {
    const auto entries = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    spec.schedule = std::make_shared<const schedule>(schedule_from_text(entries));
    return spec;
  }
  if (found->which == strategy_family::surw && parameters) {
    spec.interest = interest_from_text(*parameters);
    return spec;
  }
  if (colon == std::string_view::npos) {
    if (found->parameter.empty() || found->usual != 0) return spec;
    refuse(text, fmt::format("{0} needs a {1}, as in {0}:3", found->name, found->parameter));
  }
  if (found->parameter.empty()) refuse(text, fmt::format("{} takes no parameter", found->name));
  const auto rest = text.substr(colon + 1);
  const auto second = rest.find(':');
  spec.parameter =
      number(rest.substr(0, second), text, found->parameter, found->least, found->most);
  if (second == std::string_view::npos) return spec;
  if (!found->needs_length) refuse(text, fmt::format("{} takes one parameter", found->name));
  spec.k = number(rest.substr(second + 1), text, "estimated number of steps", 1, estimate_max);
  return spec;
}

std::string to_string(const strategy_spec& spec) {
  if (spec.which == strategy_family::user)
    return spec.has_parameter ? fmt::format("{}:{}", spec.written->name, spec.parameter)
                              : spec.written->name;
  if (spec.which == strategy_family::surw && spec.interest)
    return "surw:" + to_text(*spec.interest);
  const auto& d = description(spec.which);
  if (spec.which == strategy_family::schedule) {
    const auto text = to_text(*spec.schedule);
    return text.empty() ? std::string(d.name) : fmt::format("{}:{}", d.name, text);
  }
  if (d.parameter.empty() || spec.parameter == no_bound) return std::string(d.name);
  return spec.k == 0 ? fmt::format("{}:{}", d.name, spec.parameter)
                     : fmt::format("{}:{}:{}", d.name, spec.parameter, spec.k);
}

bool needs_estimate(const strategy_spec& spec) noexcept {
  if (spec.which == strategy_family::user) return false;
  return description(spec.which).needs_length && spec.k == 0;
}

strategy::state make(const strategy_spec& spec) {
  switch (spec.which) {
    case strategy_family::random:
      return strategy::random_walk{};
    case strategy_family::sticky:
      return strategy::sticky_walk(spec.parameter);
    case strategy_family::fair:
      return strategy::fair_walk(spec.parameter);
    case strategy_family::round_robin:
      return strategy::round_robin(spec.parameter);
    case strategy_family::pct:
      return strategy::pct(spec.parameter, spec.k);
    case strategy_family::delay:
      return strategy::delay_bounded(spec.parameter, spec.k);
    case strategy_family::pos:
      return strategy::pos{};
    case strategy_family::schedule:
      return strategy::replay(*spec.schedule);
    case strategy_family::surw:
      return spec.interest ? strategy::surw(spec.interest->about, spec.interest->steps)
                           : strategy::surw{};
    case strategy_family::user:
      return strategy::user(spec.written->functions, spec.parameter, spec.has_parameter);
    case strategy_family::guided:
    case strategy_family::portfolio:
    case strategy_family::swarm:
    case strategy_family::dfs:
    case strategy_family::dpor:
      throw usage_error(
          fmt::format("{} is no strategy of one execution: the tokens of what it finds carry "
                      "others, or schedules",
                      description(spec.which).name));
  }
  return strategy::random_walk{};
}

std::string guarantee(const strategy_spec& spec, std::size_t n) {
  if (spec.which == strategy_family::fair)
    return fmt::format("no task is enabled and passed over for more than {} steps in a row",
                       spec.parameter + n);
  if (spec.which != strategy_family::pct || spec.k == 0) return {};
  const auto odds = static_cast<double>(n) * std::pow(spec.k, double{spec.parameter - 1.0});
  return fmt::format(
      "each execution finds a bug of depth {} with probability at least 1/(n k^(d-1)) = 1/{:.0f}, "
      "for n = {} tasks and k = {} steps (estimated)",
      spec.parameter, odds, n, spec.k);
}

}  // namespace forkloom::explore
