#include "framework/report/lanes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

#include "framework/report/describe.hpp"
#include "framework/report/window.hpp"

namespace forkloom::report {
namespace {

constexpr std::size_t lane_least = 18;
constexpr std::size_t lane_most = 40;
constexpr std::size_t source_most = 28;
constexpr std::size_t between = 3;  // " │ "

class table {
 public:
  table(const trace& what, const violation& found, const style& look)
      : what_(what),
        found_(found),
        tasks_(shown_tasks(what, found)),
        events_(shown_events(what, found, tasks_, look.verbose)) {
    for (const auto i : events_) {
      steps_width_ = std::max(steps_width_, fmt::formatted_size("{}", what.events[i].step));
      source_width_ = std::max(source_width_, width(short_place(what.source(what.events[i]))));
    }
    source_width_ = std::min({source_width_, source_most, look.columns / 4});
    const auto source = source_width_ > 0 ? source_width_ + between : 0;
    const auto around = steps_width_ + source;
    const auto room = look.columns > around ? look.columns - around : 0;
    listing_ = tasks_.empty() || room / tasks_.size() < lane_least + between;
    listing_ ? size_listing(room) : size_lanes(room);
  }

  [[nodiscard]] std::string text() {
    if (events_.empty()) return {};
    head();
    for (std::size_t row = 0; row < events_.size(); ++row) {
      gap_before(row);
      event_row(row);
    }
    foot();
    return std::move(text_);
  }

 private:
  void size_lanes(std::size_t room) {
    widths_.assign(tasks_.size(), std::min(room / tasks_.size() - between, lane_most));
  }

  // A column for the task's name, and one for the operation.
  void size_listing(std::size_t room) {
    std::size_t name = width("task");
    for (const auto i : events_)
      name = std::max(name, width(what_.task_name(what_.events[i].task)));
    name = std::min(name, room / 3);
    const auto rest = room - std::min(room, name + 2 * between);
    widths_ = {name, std::min(rest, 2 * lane_most)};
  }

  void line(std::string_view step, const std::vector<std::string>& cells, std::string_view source) {
    auto row = fmt::format("{:>{}}", step, steps_width_);
    for (std::size_t i = 0; i < cells.size(); ++i) row += " │ " + fit(cells[i], widths_[i]);
    if (source_width_ > 0) row += " │ " + fit(source, source_width_);
    row.erase(row.find_last_not_of(' ') + 1);
    text_ += row + "\n";
  }

  void head() {
    std::vector<std::string> names;
    if (listing_)
      names = {"task", "operation"};
    else
      for (const auto task : tasks_) names.push_back(what_.task_name(task));
    line("step", names, "at");
    // Dashes of one byte: Catch2 counts bytes when it breaks lines.
    std::string rule(steps_width_, '-');
    for (const auto width : widths_) rule += "-┼-" + std::string(width, '-');
    if (source_width_ > 0) rule += "-┼-" + std::string(source_width_, '-');
    text_ += rule + "\n";
  }

  void gap_before(std::size_t row) {
    const auto before = row == 0 ? 0 : events_[row - 1] + 1;
    const auto hidden = hidden_events(before, events_[row]);
    if (hidden > 0) gap(hidden);
  }

  void foot() {
    const auto hidden = hidden_events(events_.back() + 1, what_.events.size());
    if (hidden > 0) gap(hidden);
    const auto others = what_.tasks.size() - std::min(what_.tasks.size(), tasks_.size());
    if (others > 0)
      text_ += fmt::format("{} more task{} not shown.\n", others, others == 1 ? " is" : "s are");
  }

  void gap(std::size_t hidden) {
    text_ += fmt::format("{:>{}} │ {} event{} not shown (--verbose shows all)\n", "⋯", steps_width_,
                         hidden, hidden == 1 ? "" : "s");
  }

  // Events of the shown tasks in [first, last).
  [[nodiscard]] std::size_t hidden_events(std::size_t first, std::size_t last) const {
    std::size_t count = 0;
    for (auto i = first; i < last; ++i)
      if (std::find(tasks_.begin(), tasks_.end(), what_.events[i].task) != tasks_.end()) ++count;
    return count;
  }

  void event_row(std::size_t row) {
    const auto at = events_[row];
    const auto& e = what_.events[at];
    const bool proof =
        std::find(found_.evidence.begin(), found_.evidence.end(), at) != found_.evidence.end();
    const auto words = (proof ? "► " : "  ") + harmless(describe(what_, e));
    const auto source = short_place(what_.source(e));
    const auto step = fmt::to_string(e.step);
    if (listing_) {
      line(step, {what_.task_name(e.task), words}, source);
      return;
    }
    std::vector<std::string> cells;
    for (const auto task : tasks_) cells.push_back(task == e.task ? words : idle(task, row));
    line(step, cells, source);
  }

  // What a lane shows beside an event of another task.
  [[nodiscard]] std::string idle(task_id task, std::size_t row) const {
    const auto at = events_[row];
    const auto last = last_event_before(task, at);
    if (last == at) return {};  // it did nothing yet
    const auto& e = what_.events[last];
    if (e.how == outcome::blocked) return "  ⋮";
    const bool follows = last + 1 == at;
    return follows && could_go_on(last) ? "  (preempted)" : "";
  }

  // Index of the task's last event before `at`; `at` itself if there is none.
  [[nodiscard]] std::size_t last_event_before(task_id task, std::size_t at) const {
    for (auto i = at; i-- > 0;)
      if (what_.events[i].task == task) return i;
    return at;
  }

  // After that event, was its task enabled? It was if it did not end, yield or sleep there, and
  // whatever it does next is not a wait that had to begin at once.
  [[nodiscard]] bool could_go_on(std::size_t at) const {
    const auto& e = what_.events[at];
    if (e.op == operation::exit || e.op == operation::yield || e.op == operation::sleep)
      return false;
    return std::any_of(what_.events.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                       what_.events.end(),
                       [&](const event& later) { return later.task == e.task; });
  }

  const trace& what_;
  const violation& found_;
  std::vector<task_id> tasks_;
  std::vector<std::size_t> events_;
  std::size_t steps_width_ = 4;
  std::size_t source_width_ = 0;
  std::vector<std::size_t> widths_;  // of the columns between step and source
  bool listing_ = false;             // one row an event, with the task's name in it
  std::string text_;
};

}  // namespace

std::string lanes(const trace& what, const violation& found, const style& look) {
  return table(what, found, look).text();
}

}  // namespace forkloom::report
