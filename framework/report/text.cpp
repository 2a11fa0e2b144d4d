#include "framework/report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/report/describe.hpp"
#include "framework/report/lanes.hpp"
#include "framework/trace/counted.hpp"

namespace forkloom::report {
namespace {

constexpr std::size_t output_lines_max = 20;

std::string heading(std::string_view text, const style& look) {
  return "\n" + tinted(text, tint::bold, look) + "\n";
}

std::string kinds(const std::vector<violation_kind>& all) {
  std::vector<std::string> names;
  for (const auto kind : all) names.emplace_back(name(kind));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string kinds_found(const explore::campaign_result& result) {
  std::vector<std::string> names;
  for (const auto& found : result.findings)
    for (const auto& v : found.violations) {
      const std::string kind(name(v.kind));
      if (std::find(names.begin(), names.end(), kind) == names.end()) names.push_back(kind);
    }
  return names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", "));
}

std::string violations_of(const explore::finding& found, const style& look) {
  std::string text;
  for (const auto& v : found.violations) {
    text += fmt::format("{}: {}\n", tinted(name(v.kind), tint::red, look), harmless(v.message));
    for (const auto& detail : v.details) text += "    " + harmless(detail) + "\n";
  }
  return text.empty() ? "No violation.\n" : text;
}

// The deadlock checker's details are the same graph, with what each task holds.
bool told_by_details(const explore::finding& found) {
  return std::any_of(found.violations.begin(), found.violations.end(), [](const violation& v) {
    return v.kind == violation_kind::deadlock && !v.details.empty();
  });
}

std::string waits_of(const explore::finding& found, const style& look) {
  const auto& what = found.what_happened;
  if (what.waits.empty() || told_by_details(found)) return {};
  auto text = heading("Who waits for what", look);
  for (const auto& wait : what.waits) text += "  " + harmless(describe(what, wait)) + "\n";
  return text;
}

// The lines of a text, the last ones only unless verbose.
std::string quoted(const std::string& output, const style& look) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < output.size();) {
    const auto end = std::min(output.find('\n', at), output.size());
    lines.push_back(output.substr(at, end - at));
    at = end + 1;
  }
  std::string text;
  std::size_t first = 0;
  if (!look.verbose && lines.size() > output_lines_max) {
    first = lines.size() - output_lines_max;
    text = fmt::format("    ⋯ {} lines not shown\n", first);
  }
  for (auto i = first; i < lines.size(); ++i) text += "    " + harmless(lines[i]) + "\n";
  return text;
}

std::string output_of(const trace& what, const style& look) {
  std::string text;
  for (const auto& task : what.tasks)
    if (!task.output.empty())
      text += heading(fmt::format("Output of {}", task.name), look) + quoted(task.output, look);
  return text;
}

bool waits(const trace& what, std::size_t task) {
  return std::any_of(what.waits.begin(), what.waits.end(),
                     [&](const wait_record& wait) { return index(wait.task) == task; });
}

// Ends that need no word are left out: a task that exited with 0, and one that waits, as told
// before.
std::string ends_of(const trace& what, const style& look) {
  std::string text;
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    const auto& task = what.tasks[i];
    const bool done = task.end.kind == task_end::how::exited && task.end.code == 0;
    const bool waiting = task.end.kind == task_end::how::alive && waits(what, i);
    if (!done && !waiting) text += fmt::format("  {} {}\n", task.name, describe(task.end));
  }
  const auto ending = describe_ending(what);
  if (!ending.empty()) text += "  " + harmless(ending) + "\n";
  return text.empty() ? text : heading("How it ended", look) + text;
}

std::string stacks_of(const trace& what, const violation& v, const style& look) {
  std::string text;
  for (const auto at : v.evidence) {
    if (at >= what.events.size()) continue;
    const auto& e = what.events[at];
    if (e.stack == 0 || e.stack > what.stacks.size()) continue;
    text += fmt::format("  step {}, {}: {}\n", e.step, what.task_name(e.task), describe(what, e));
    for (const auto address : what.stacks[e.stack - 1]) {
      const auto known = what.sources.find(address);
      if (known != what.sources.end()) text += "      " + known->second + "\n";
    }
  }
  return text.empty() ? text : heading("Where the evidence was made", look) + text;
}

std::string replays_of(const explore::finding& found) {
  if (found.replays == 0) return {};
  auto text =
      fmt::format("{} of {} replays failed the same way.\n", found.reproduced, found.replays);
  if (!found.divergence.empty()) text += "A replay departed: " + harmless(found.divergence) + "\n";
  return text;
}

// "store account = 110 at bank.cpp:15"
std::string place_of(const trace& what, const event& e) {
  const auto source = short_place(what.source(e));
  return harmless(describe(what, e)) + (source.empty() ? "" : " at " + source);
}

std::string preemptions_of(const explore::finding& found, const explore::shrinking& how) {
  const auto& what = found.what_happened;
  const auto count = how.preemptions.size();
  if (count == 0)
    return fmt::format(
        "None of {} need be a preemption: it fails also when each task goes on until it waits or "
        "ends.\n",
        counted(how.before.switches, "switch"));
  auto text = fmt::format("{} of {} matter{}:\n", counted(count, "preemption"),
                          counted(how.before.switches, "switch"), count == 1 ? "s" : "");
  for (const auto& p : how.preemptions) {
    const auto about = p.event < what.events.size()
                           ? ", which was about to " + place_of(what, what.events[p.event])
                           : std::string();
    text += fmt::format("  step {}: {} goes instead of {}{}\n", p.step, what.task_name(p.to),
                        what.task_name(p.from), about);
  }
  return text;
}

std::string faults_that_matter(const trace& what) {
  std::vector<std::string> all;
  for (const auto& e : what.events)
    if (e.op == operation::fault)
      all.push_back(
          fmt::format("  step {}, {}: {}\n", e.step, what.task_name(e.task), place_of(what, e)));
  if (all.empty()) return {};
  return fmt::format("{} fault{} matter{}:\n{}", all.size(), all.size() == 1 ? "" : "s",
                     all.size() == 1 ? "s" : "", fmt::join(all, ""));
}

std::string critical_of(const explore::finding& found, const explore::shrinking& how) {
  if (how.continuations == 0 && how.critical_step == 0) return {};
  if (how.critical_step == 0)
    return fmt::format("However it goes on from the start, it fails ({} of {} tries).\n",
                       how.continuations, how.continuations);
  const auto& what = found.what_happened;
  const auto done = std::find_if(what.events.begin(), what.events.end(),
                                 [&](const event& e) { return e.step == how.critical_step; });
  const auto by = done == what.events.end()
                      ? std::string()
                      : fmt::format(", {}: {}", what.task_name(done->task), place_of(what, *done));
  if (how.continuations == 0)
    return fmt::format("Until its last step, {}{}, it may go on without failing.\n",
                       how.critical_step, by);
  return fmt::format("After step {}{}, it fails however it goes on ({} of {} tries).\n",
                     how.critical_step, by, how.continuations, how.continuations);
}

std::string size(const explore::schedule_size& s) {
  const auto faults = s.faults == 0 ? std::string() : ", " + counted(s.faults, "draw");
  return counted(s.preemptions, "preemption") + faults + ", " + counted(s.switches, "switch") +
         ", " + counted(s.steps, "step");
}

std::string given_up(const explore::shrinking& how) {
  if (how.given_up_after_ms == 0) return {};
  return fmt::format("; stopped after {:g} s: another run may get further",
                     static_cast<double>(how.given_up_after_ms) / 1'000);
}

std::string shrinking_of(const explore::finding& found, const style& look) {
  if (!found.shrunk) return {};
  const auto& how = *found.shrunk;
  return heading("What matters", look) + preemptions_of(found, how) +
         faults_that_matter(found.what_happened) + critical_of(found, how) +
         fmt::format("Shrunk from {} to {} in {}{}{}.\nAs it was found: {}\n", size(how.before),
                     size(how.after), counted(how.executions, "execution"),
                     how.complete ? "; no fewer preemptions do" : "", given_up(how), how.original);
}

// "kill happened 312 times; eintr had no chance (a call that waits and may say EINTR)".
std::string faults_of(const explore::campaign_result& result) {
  std::vector<std::string> all;
  for (const auto& fault : result.faults)
    all.push_back(fault.chances == 0
                      ? fmt::format("{} had no chance (it strikes {})", fault.name,
                                    explore::where_it_strikes(fault))
                      : fmt::format("{} happened {}", fault.name, counted(fault.happened, "time")));
  return all.empty() ? std::string{} : fmt::format("  faults: {}\n", fmt::join(all, "; "));
}

std::string replay_line(const explore::finding& found, const style& look) {
  if (look.replay_with.empty()) return {};
  return fmt::format("Reproduce it with: {}{}{}\n", look.replay_with, found.token,
                     harmless(found.replay_arguments));
}

}  // namespace

std::string summary(const explore::campaign_result& result, const style& look) {
  using explore::verdict;
  const auto effort =
      fmt::format("{}, {}, {}, {}, seed {}, {:.2f} s", counted(result.executions, "execution"),
                  counted(result.steps, "step"), counted(result.switches, "switch"),
                  result.strategy, result.seed, result.seconds);
  std::string verdict_text;
  switch (result.how) {
    case verdict::as_expected:
      verdict_text = tinted("as expected", tint::green, look);
      break;
    case verdict::violated:
      verdict_text = tinted("VIOLATED", tint::red, look);
      break;
    case verdict::error:
      verdict_text = tinted("ERROR", tint::yellow, look);
      break;
  }
  auto line = fmt::format("{}: {}, found {}", result.scenario, verdict_text, kinds_found(result));
  if (!result.expected.empty()) line += fmt::format(" (expects {})", kinds(result.expected));
  line += fmt::format(" [{}]\n", effort);
  if (!result.message.empty()) line += "  " + harmless(result.message) + "\n";
  if (result.suppressed != 0)
    line += fmt::format("  {} violation{} suppressed\n", result.suppressed,
                        result.suppressed == 1 ? "" : "s");
  return line + faults_of(result);
}

std::string explain(const explore::finding& found, const style& look) {
  const auto& what = found.what_happened;
  const violation none;
  const auto& main = found.violations.empty() ? none : found.violations.front();
  auto text = violations_of(found, look);

  const auto table = lanes(what, main, look);
  if (!table.empty())
    text += heading(fmt::format("Interleaving of execution {} ({})", found.execution,
                                counted(what.steps, "step")),
                    look) +
            table;
  text += shrinking_of(found, look);
  text += waits_of(found, look);
  text += ends_of(what, look);
  if (look.verbose) text += stacks_of(what, main, look);
  text += output_of(what, look);
  text += "\n";
  if (found.occurrences > 1)
    text += fmt::format("{} executions failed like this one.\n", found.occurrences);
  return text + replays_of(found) + replay_line(found, look);
}

std::string brief(const explore::finding& found, const style& look) {
  std::string text;
  for (const auto& v : found.violations)
    text +=
        fmt::format("  {}: {}\n", tinted(name(v.kind), tint::yellow, look), harmless(v.message));
  return text + "  " + replay_line(found, look);
}

// Up to six digits as they are, more as a power of ten.
std::string count_of(double number) {
  if (number < 1e6) return fmt::format("{:.0f}", number);
  return fmt::format("10^{:.0f}", std::log10(number));
}

std::string coverage_of(const explore::campaign_result& result) {
  const auto& c = result.coverage;
  return fmt::format("  seen: {}, {}, {}; the last new class or ordering in execution {} of {}\n",
                     counted(c.classes, "class"), counted(c.orderings, "ordering"),
                     counted(c.lock_states, "lock state"), c.last_new, result.executions);
}

// "at most 1 in 200 executions"
std::string failure_of(const explore::campaign_result& result) {
  const auto& e = result.estimates;
  if (e.failed == 0)
    return fmt::format("  no failure: fewer than {:.3g} of all executions fail (confidence 95 %)\n",
                       e.failure_high);
  return fmt::format(
      "  {} of {} executions failed: {:.3g} of all, between {:.3g} and {:.3g} (confidence 95 %); "
      "{} {} a failure with 95 %\n",
      e.failed, counted(result.executions, "execution"), e.failure, e.failure_low, e.failure_high,
      counted(e.executions_to_see, "execution"), e.executions_to_see == 1 ? "meets" : "meet");
}

std::string estimates_of(const explore::campaign_result& result) {
  const auto& e = result.estimates;
  std::string text = "  estimated: ";
  if (e.schedules_log2 >= 0)
    text += "about " + count_of(std::exp2(e.schedules_log2)) + " schedules, ";
  text += fmt::format("at least {} classes", count_of(e.classes));
  if (e.new_class > 0)
    text += fmt::format("; {:.3g} of all executions show a new one", e.new_class);
  if (e.more_for_classes > 0)
    text += fmt::format("; {} more executions show 95 % of them",
                        count_of(static_cast<double>(e.more_for_classes)));
  return text + "\n" + failure_of(result);
}

std::string full_report(const explore::campaign_result& result, const style& look) {
  auto text = summary(result, look);
  if (!result.guarantee.empty()) text += "  " + harmless(result.guarantee) + "\n";
  if (!result.conclusion.empty()) text += "  " + harmless(result.conclusion) + "\n";
  if (result.coverage.saturated)
    text += fmt::format("  saturated: nothing new in the last {}\n",
                        counted(result.executions - result.coverage.last_new, "execution"));
  if (look.verbose && result.coverage.classes > 0) text += coverage_of(result);
  if (look.verbose && result.estimates.known) text += estimates_of(result);
  if (!result.isolation.empty()) text += "  isolation: " + result.isolation + "\n";
  for (const auto& line : result.uncontrolled)
    if (line != result.message)
      text += tinted("  not under control: ", tint::yellow, look) + harmless(line) + "\n";
  for (const auto& found : result.findings) text += "\n" + explain(found, look);
  return text;
}

}  // namespace forkloom::report
