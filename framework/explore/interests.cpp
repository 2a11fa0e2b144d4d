#include "framework/explore/interests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

#include "forkloom/error.hpp"
#include "framework/trace/stable_label.hpp"

namespace forkloom::explore {
namespace {

using strategy::surw;
constexpr std::size_t last = surw::counted_max - 1;
constexpr unsigned count_max = std::numeric_limits<std::uint16_t>::max();

// Tasks beyond those that are counted have as many steps as the busiest of them.
struct tally {
  std::map<std::size_t, unsigned> steps;  // by task

  [[nodiscard]] surw::counts counts() const {
    surw::counts all{};
    for (const auto& [task, count] : steps) {
      auto& known = all.at(std::min(task, last));
      known = static_cast<std::uint16_t>(std::max<unsigned>(known, std::min(count, count_max)));
    }
    return all;
  }
};

std::map<std::uint32_t, tally> tallies_of(const trace& what) {
  std::map<std::uint32_t, tally> all;
  for (const auto task : what.schedule) ++all[surw::everything].steps[index(task)];
  std::vector<std::uint32_t> labels;
  labels.reserve(what.resources.size());
  for (const auto& r : what.resources) labels.push_back(stable_label(r.kind, r.name));
  for (const auto& e : what.events)
    if (e.task != no_task && index(e.resource) < labels.size())
      ++all[labels[index(e.resource)]].steps[index(e.task)];
  return all;
}

[[noreturn]] void refuse(std::string_view text) {
  throw usage_error(
      fmt::format("surw's parameters are made by Forkloom, as in surw:0:12x2_7; '{}' is not like "
                  "that. Write surw alone",
                  text.substr(0, 60)));
}

template <class Number>
Number number(std::string_view& rest, std::string_view whole, int base) {
  Number value = 0;
  const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value, base);
  if (error != std::errc{}) refuse(whole);
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
  return value;
}

bool accept(std::string_view& rest, char c) {
  if (rest.empty() || rest.front() != c) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

void interest_book::add(const trace& what) {
  for (const auto& [about, tally] : tallies_of(what)) {
    if (about != surw::everything && tally.steps.size() < 2) continue;
    const auto at = std::lower_bound(all_.begin(), all_.end(), about,
                                     [](const interest& i, auto a) { return i.about < a; });
    const auto counts = tally.counts();
    if (at == all_.end() || at->about != about) {
      all_.insert(at, {about, counts});
      continue;
    }
    for (std::size_t i = 0; i < counts.size(); ++i)
      at->steps.at(i) = std::max(at->steps.at(i), counts.at(i));
  }
}

std::string to_text(const interest& what) {
  auto text = fmt::format("{:x}:", what.about);
  for (auto at = what.steps.begin(); at != what.steps.end();) {
    const auto end = std::find_if(at, what.steps.end(), [&](auto n) { return n != *at; });
    const auto times = end - at;
    text += fmt::format("{}{}", at == what.steps.begin() ? "" : "_", *at);
    if (end == what.steps.end()) break;
    if (times > 1) text += fmt::format("x{}", times);
    at = end;
  }
  return text;
}

interest interest_from_text(std::string_view text) {
  interest made;
  auto rest = text;
  made.about = number<std::uint32_t>(rest, text, 16);
  if (!accept(rest, ':')) refuse(text);
  std::size_t task = 0;
  std::uint16_t count = 0;
  do {
    count = number<std::uint16_t>(rest, text, 10);
    const auto times = accept(rest, 'x') ? number<std::size_t>(rest, text, 10) : 1;
    if (times == 0 || times > made.steps.size() - task) refuse(text);
    std::fill_n(made.steps.begin() + static_cast<std::ptrdiff_t>(task), times, count);
    task += times;
  } while (accept(rest, '_'));
  if (!rest.empty()) refuse(text);
  std::fill(made.steps.begin() + static_cast<std::ptrdiff_t>(task), made.steps.end(), count);
  return made;
}

}  // namespace forkloom::explore
