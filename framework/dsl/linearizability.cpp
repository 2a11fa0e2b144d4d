#include "forkloom/linearizability.hpp"

#include <fmt/format.h>

#include <algorithm>
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

std::map<std::uint64_t, moment> moments_of(const call_log& log, std::size_t calls) {
  std::map<std::uint64_t, moment> all;
  for (std::size_t i = 0; i < calls; ++i) {
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
std::vector<std::string> table(const program_judge& program, const call_log& log) {
  struct row {
    unsigned process;
    std::string words;
  };
  std::vector<row> rows;
  const auto moments = moments_of(log, program.calls.size());
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

history history_of(const program_judge& program, const call_log& log) {
  history what;
  for (std::size_t i = 0; i < program.calls.size(); ++i) {
    const auto& slot = log.slots[i];
    if (slot.invoked == 0) continue;
    what.calls.push_back({.process = program.calls[i].process,
                          .invoked = slot.invoked,
                          .returned = slot.returned,
                          .pending = slot.returned == 0,
                          .operation = static_cast<std::uint32_t>(i)});
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
  if (size > 0) std::memcpy(own.result.data(), result, size);
  own.returned = ++log.clock;
  tell(operation::grant, words, __builtin_return_address(0), false);
}

std::uint64_t program_number(scenario& where, const program_size& size) {
  const auto calls = std::uint64_t{size.processes} * size.operations;
  if (calls == 0 || calls > calls_most || size.programs == 0)
    throw usage_error(fmt::format(
        "programs of {} processes with {} operations, {} of them: there must be one at least, and "
        "{} calls in a program are the limit",
        size.processes, size.operations, size.programs, calls_most));
  return where.engine().execution_seed() % size.programs;
}

void judge_program(scenario& where, const call_log& log, const program_judge& program,
                   sequential_model& model) {
  const auto what = history_of(program, log);
  const auto verdict = checkers::judge(what, model, program.wanted);
  if (verdict.consistent == answer::yes) return;
  if (verdict.consistent == answer::unknown)
    throw std::runtime_error(fmt::format("whether {} is {} is unknown: {}", program.object,
                                         adverb(program.wanted), verdict.why));
  judged_history found{.object = program.object, .details = table(program, log)};
  std::string which = "these results";
  if (program.wanted == consistency::linearizable)
    if (const auto bad = checkers::first_unexplained(what, model)) {
      const auto slot = what.calls[*bad].operation;
      which =
          fmt::format("{} of client {}", answered(program, log, slot), program.calls[slot].process);
    }
  found.message = fmt::format("{} is not {}: no order of the calls explains {}", program.object,
                              adverb(program.wanted), which);
  std::set<unsigned> processes;
  for (const auto& c : what.calls) processes.insert(c.process);
  for (const auto p : processes) found.tasks.push_back(fmt::format("client {}", p));
  where.engine().found(std::move(found));
}

}  // namespace forkloom::detail
