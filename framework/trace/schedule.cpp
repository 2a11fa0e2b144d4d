#include "framework/trace/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "forkloom/error.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom {
namespace {

constexpr std::uint32_t any = ~std::uint32_t{0};

// One entry of the text. Equal neighbours are written once, with their number.
struct entry {
  std::uint32_t distance = 0;
  char kind = 'p';
  std::uint32_t value = 0;
  std::uint32_t nth = 0;  // of a draw

  friend bool operator==(const entry&, const entry&) = default;
};

std::string to_text(const entry& e, std::size_t times) {
  auto text = fmt::format("{}{}{}", e.distance, e.kind, e.value);
  if (e.nth > 0) text += fmt::format("n{}", e.nth);
  if (times > 1) text += fmt::format("x{}", times);
  return text;
}

// Both lists as one. A draw at step s is made before pick s.
std::vector<entry> entries_of(const schedule& what) {
  std::vector<entry> all;
  std::uint32_t at = 0;
  auto draw = what.draws.begin();
  const auto add_draws = [&](std::uint32_t last_step) {
    for (; draw != what.draws.end() && draw->step <= last_step; at = draw++->step)
      all.push_back({draw->step - at, 'd', draw->value, draw->nth});
  };
  for (const auto& pick : what.picks) {
    add_draws(pick.step);
    all.push_back({pick.step - at, 'p', static_cast<std::uint32_t>(index(pick.task)), 0});
    at = pick.step;
  }
  add_draws(any);
  return all;
}

[[noreturn]] void refuse(std::string_view entry, std::string_view why) {
  throw usage_error(fmt::format("schedule entry '{}' {}", entry.substr(0, 60), why));
}

class reader {
 public:
  schedule read(std::string_view text) {
    if (text.empty()) return {};
    for (;;) {
      const auto end = text.find('_');
      read_entry(text.substr(0, end));
      if (end == std::string_view::npos) return std::move(made_);
      text.remove_prefix(end + 1);
    }
  }

 private:
  void read_entry(std::string_view whole) {
    whole_ = rest_ = whole;
    entry e;
    e.distance = number("the distance in steps", 0, schedule_steps_max - 1);
    const bool is_pick = accept('p');
    if (!is_pick && !accept('d')) refuse(whole, "has neither 'p' (pick) nor 'd' (draw) there");
    e.kind = is_pick ? 'p' : 'd';
    e.value = is_pick ? number("the task", 0, schedule_tasks_max - 1)
                      : number("the value of a draw", 1, any);
    if (!is_pick && accept('n')) e.nth = number("the number of a draw", 0, any);
    const auto times = accept('x') ? number("the count", 2, schedule_steps_max) : 1;
    if (!rest_.empty()) refuse(whole, fmt::format("ends with '{}', which means nothing", rest_));
    for (std::uint32_t i = 0; i < times; ++i) add(e);
  }

  void add(const entry& e) {
    at_ += e.distance;
    if (at_ >= schedule_steps_max)
      refuse(whole_, fmt::format("is beyond the last step, {}", schedule_steps_max - 1));
    if (!made_.picks.empty() && made_.picks.back().step == at_)
      refuse(whole_, "comes after the pick of its step");
    if (e.kind == 'p') {
      made_.picks.push_back({at_, task_id(static_cast<std::uint16_t>(e.value))});
      return;
    }
    if (!made_.draws.empty() && made_.draws.back().step == at_ && made_.draws.back().nth >= e.nth)
      refuse(whole_, "names a draw of its step that is not behind the one before");
    if (made_.draws.size() == schedule_draws_max)
      refuse(whole_, fmt::format("is one draw too many: at most {}", schedule_draws_max));
    made_.draws.push_back({at_, e.nth, e.value});
  }

  bool accept(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::uint32_t number(std::string_view what, std::uint32_t least, std::uint32_t most) {
    std::uint32_t value = 0;
    const auto* end = rest_.data() + rest_.size();
    const auto [stop, error] = std::from_chars(rest_.data(), end, value);
    if (error != std::errc{} || value < least || value > most)
      refuse(whole_, fmt::format("needs {} from {} to {} before '{}'", what, least, most,
                                 std::string_view(stop, static_cast<std::size_t>(end - stop))));
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return value;
  }

  std::string_view whole_;
  std::string_view rest_;
  std::uint32_t at_ = 0;
  schedule made_;
};

}  // namespace

schedule schedule_of(const trace& what) {
  schedule made;
  for (std::uint32_t step = 0; step < what.pick_kinds.size(); ++step)
    if (what.pick_kinds[step] != pick_kind::usual)
      made.picks.push_back({step, what.schedule[step]});
  for (const auto& draw : what.draws)
    if (draw.value != 0) made.draws.push_back({draw.step, draw.nth, draw.value});
  return made;
}

std::string to_text(const schedule& what) {
  const auto all = entries_of(what);
  std::string text;
  for (auto at = all.begin(); at != all.end();) {
    const auto end = std::find_if(at, all.end(), [&](const entry& e) { return e != *at; });
    text += (text.empty() ? "" : "_") + to_text(*at, static_cast<std::size_t>(end - at));
    at = end;
  }
  return text;
}

schedule schedule_from_text(std::string_view text) { return reader().read(text); }

}  // namespace forkloom
