#include "framework/explore/portfolio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "framework/explore/guided.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::explore {
namespace {

// Each is best somewhere: see docs/strategies.md.
// Each is best somewhere: see docs/strategies.md. Random walks are there from the beginning.
constexpr std::array<std::string_view, 5> others{"sticky:10", "pos", "pct:3", "surw", "delay:2"};

// That many random walks come first, as many as other strategies measure.
constexpr std::uint64_t walks = 3;

// What an execution brought.
double pay_of(const coverage_book::gain& gain, bool violated) {
  constexpr std::size_t orderings_max = 5;
  return static_cast<double>(std::min(gain.orderings, orderings_max)) +
         (gain.new_class ? 0.1 : 0.0) + (violated ? 1.0 : 0.0);
}

}  // namespace

portfolio::portfolio(const exploration& how) : how_(how), seen_(*how.coverage) {
  how_.measure = [this] { return measured_; };
  add("random", how.seed);
  auto own = how_;
  own.seed = strategy::mix(how.seed);
  auto follower = std::make_unique<guided>(own);
  guided_ = follower.get();
  arms_.push_back({.name = "guided", .explores = std::move(follower)});
}

portfolio::~portfolio() = default;

void portfolio::add(std::string_view name, std::uint64_t seed) {
  auto own = how_;
  own.seed = seed;
  arms_.push_back(
      {.name = std::string(name), .explores = make_explorer(parse_strategy(name), own)});
}

std::optional<attempt> portfolio::next(std::uint64_t number) {
  if (number < walks)
    last_ = 0;
  else
    last_ = number % 2 == 0 ? number / 2 % arms_.size() : best();
  return arms_[last_].explores->next(arms_[last_].uses++);
}

// Of those that pay alike the one that was used least.
std::size_t portfolio::best() const {
  const auto found = std::max_element(arms_.begin(), arms_.end(), [](const arm& a, const arm& b) {
    return a.pay != b.pay ? a.pay < b.pay : a.uses > b.uses;
  });
  return static_cast<std::size_t>(found - arms_.begin());
}

void portfolio::learn(const trace& what, bool violated) {
  constexpr double memory = 0.9;  // the last ten executions or so count
  if (executions_ < walks) measure(what);
  auto& used = arms_[last_];
  used.pay = memory * used.pay + (1 - memory) * pay_of(seen_.last_gain(), violated);
  used.explores->learn(what, violated);
  if (used.explores.get() != guided_) guided_->learn(what, violated);
}

void portfolio::measure(const trace& what) {
  measured_.k = std::max(measured_.k, static_cast<std::uint32_t>(what.steps));
  measured_.n = std::max(measured_.n, what.tasks.size());
  interests_.add(what);
  if (++executions_ < walks) return;
  measured_.interests = interests_.all();
  for (const auto name : others) add(name, strategy::mix(how_.seed + arms_.size()));
}

std::string portfolio::conclusion() const {
  std::string text = "executions by strategy:";
  for (const auto& a : arms_)
    text += fmt::format("{} {} {}", &a == arms_.data() ? "" : ",", a.name, a.uses);
  return text;
}

}  // namespace forkloom::explore
