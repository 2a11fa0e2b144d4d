#include "forkloom/linearizability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "checkers/linearizability/linearizability.hpp"
#include "framework/dsl/scenario_engine.hpp"
#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"

namespace forkloom::detail {
namespace {

struct moment {
  std::size_t slot;
  bool answer;
};

using slots = std::vector<std::size_t>;

std::map<std::uint64_t, moment> moments_of(const call_log& log, const slots& shown) {
  std::map<std::uint64_t, moment> all;
  for (const auto i : shown) {
    if (log.slots[i].invoked != 0) all[log.slots[i].invoked] = {i, false};
    if (log.slots[i].returned != 0) all[log.slots[i].returned] = {i, true};
  }
  return all;
}

std::string answered(const program_judge& program, const call_log& log, std::size_t slot) {
  return program.calls[slot].words + program.calls[slot].answer(log.slots[slot].result.data());
}

// Columns: code points, as the arrow is three bytes and one column.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// A column a process, read from top to bottom. A call that nothing interrupts is one row, any other
// one for its invocation and one for its response.
std::vector<std::string> table(const program_judge& program, const call_log& log,
                               const slots& shown) {
  struct row {
    unsigned process;
    std::string words;
  };
  std::vector<row> rows;
  const auto moments = moments_of(log, shown);
  for (auto at = moments.begin(); at != moments.end(); ++at) {
    const auto [slot, answer] = at->second;
    const auto process = program.calls[slot].process;
    const auto next = std::next(at);
    if (answer) {
      rows.push_back({process, "└ " + answered(program, log, slot)});
    } else if (next != moments.end() && next->second.slot == slot) {
      rows.push_back({process, answered(program, log, slot)});
      at = next;
    } else {
      const bool pending = log.slots[slot].returned == 0;
      rows.push_back({process, "┌ " + program.calls[slot].words + (pending ? " (pending)" : "")});
    }
  }
  std::map<unsigned, std::size_t> widths;
  for (const auto& [process, words] : rows)
    widths[process] = std::max({widths[process], columns(words), std::size_t{9}});
  std::vector<std::string> lines(1);
  for (const auto& [process, width] : widths)
    lines[0] += fmt::format("{:<{}} │ ", fmt::format("client {}", process), width);
  for (const auto& [owner, words] : rows) {
    std::string line;
    for (const auto& [process, width] : widths) {
      const auto& cell = process == owner ? words : std::string{};
      line += cell + std::string(width - columns(cell), ' ') + " │ ";
    }
    lines.push_back(line);
  }
  for (auto& line : lines) line.erase(line.find_last_not_of(" │") + 1);
  return lines;
}

// Of each call. A call without a key may have to do with all of them, and then nothing can be
// judged by itself.
std::vector<std::uint64_t> keys_of(const program_judge& program) {
  std::vector<std::uint64_t> keys(program.calls.size(), 0);
  if (std::any_of(program.calls.begin(), program.calls.end(), [](auto& c) { return !c.key; }))
    return keys;
  std::map<std::string, std::uint64_t> numbers;
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = numbers.try_emplace(*program.calls[i].key, numbers.size()).first->second;
  return keys;
}

history history_of(const program_judge& program, const call_log& log) {
  history what;
  const auto keys = keys_of(program);
  for (std::size_t i = 0; i < program.calls.size(); ++i) {
    const auto& slot = log.slots[i];
    if (slot.invoked == 0) continue;
    what.calls.push_back({.process = program.calls[i].process,
                          .invoked = slot.invoked,
                          .returned = slot.returned,
                          .pending = slot.returned == 0,
                          .operation = static_cast<std::uint32_t>(i),
                          .key = keys[i]});
  }
  return what;
}

std::string_view adverb(consistency wanted) {
  switch (wanted) {
    case consistency::linearizable:
      return "linearizable";
    case consistency::sequential:
      return "sequentially consistent";
    case consistency::quiescent:
      return "quiescently consistent";
  }
  return {};
}

// "7.3.0"; see program_choice.hpp.
program_name name_from(const std::string& text) {
  program_name name;
  std::size_t at = 0;
  const auto number = [&] {
    const auto end = std::min(text.find('.', at), text.size());
    std::uint64_t value = 0;
    std::from_chars(text.data() + at, text.data() + end, value);
    at = end + 1;
    return value;
  };
  name.number = number();
  while (at < text.size()) name.shrinks.push_back(number());
  return name;
}

void tell(operation op, const std::string& words, const void* site, bool point) noexcept {
  if (!execution::controlled()) return;
  const auto resource = execution::resource_named(words, resource_kind::logical);
  if (point)
    execution::controlled_call(op, resource, site).completed(0);
  else
    execution::controlled_call::silent(op, resource, site).completed(0);
}

}  // namespace

// The scheduling point comes before the invocation, or no call of another process could lie between
// two calls of this one.
void call_begins(call_log& log, std::size_t slot, const std::string& words) {
  tell(operation::request, words, __builtin_return_address(0), true);
  log.slots.at(slot).invoked = ++log.clock;
}

void call_ends(call_log& log, std::size_t slot, const void* result, std::size_t size,
               const std::string& words) {
  auto& own = log.slots.at(slot);
  // Byte by byte, and no memcpy: that would be a store to shared memory which others may notice.
  const auto* from = static_cast<const volatile std::byte*>(result);
  for (std::size_t i = 0; i < size; ++i) own.result.at(i) = from[i];
  own.returned = ++log.clock;
  tell(operation::grant, words, __builtin_return_address(0), false);
}

program_name chosen_program(scenario& where, const program_size& size) {
  const auto calls = std::uint64_t{size.processes} * size.operations;
  if (calls == 0 || calls > calls_most || size.programs == 0)
    throw usage_error(fmt::format(
        "programs of {} processes with {} operations, {} of them: there must be one at least, and "
        "{} calls in a program are the limit",
        size.processes, size.operations, size.programs, calls_most));
  auto& choice = where.engine().program();
  choice.ran = choice.wanted;
  if (choice.ran.empty())
    choice.ran = std::to_string(where.engine().execution_seed() % size.programs);
  return name_from(choice.ran);
}

void no_such_program(scenario& where) { where.engine().program().missing = true; }

void require_judgeable(const program_judge& program) {
  if (program.calls.empty() || program.calls.size() > calls_most)
    throw usage_error(fmt::format(
        "a program on {} has {} calls; there must be one at least, and {} are the limit",
        program.object, program.calls.size(), calls_most));
}

void judge_program(scenario& where, const call_log& log, const program_judge& program,
                   sequential_model& model) {
  const auto what = history_of(program, log);
  const auto wanted = program.how.wanted;
  const checkers::search_limits limits{.configurations_max = program.how.configurations_max};
  const auto verdict = checkers::judge(what, model, wanted, limits);
  if (verdict.consistent == answer::yes) return;
  if (verdict.consistent == answer::unknown)
    throw std::runtime_error(fmt::format("whether {} is {} is unknown: {}", program.object,
                                         adverb(wanted), verdict.why));
  std::string which = "these results";
  std::optional<std::uint64_t> key;  // nothing: all calls have to do with it
  if (wanted == consistency::linearizable)
    if (const auto bad = checkers::first_unexplained(what, model, limits)) {
      const auto slot = what.calls[*bad].operation;
      which =
          fmt::format("{} of client {}", answered(program, log, slot), program.calls[slot].process);
      key = what.calls[*bad].key;
    }
  judged_history found{.object = program.object,
                       .message = fmt::format("{} is not {}: no order of the calls explains {}",
                                              program.object, adverb(wanted), which)};
  slots shown;
  std::set<unsigned> processes;
  for (const auto& c : what.calls) {
    if (key && c.key != *key) continue;
    shown.push_back(c.operation);
    processes.insert(c.process);
  }
  found.details = table(program, log, shown);
  for (const auto p : processes) found.tasks.push_back(fmt::format("client {}", p));
  if (shown.size() < what.calls.size())
    found.details.push_back(
        fmt::format("{} calls with other keys are not shown", what.calls.size() - shown.size()));
  if (const auto& name = where.engine().program().ran; name.find('.') != std::string::npos)
    found.details.push_back(fmt::format("generated program {}, made smaller in {} steps",
                                        name.substr(0, name.find('.')),
                                        std::count(name.begin(), name.end(), '.')));
  where.engine().found(std::move(found));
}

}  // namespace forkloom::detail
