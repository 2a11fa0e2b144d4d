#include "framework/shrink/critical.hpp"

#include <algorithm>

#include "framework/strategy/random.hpp"

namespace forkloom::shrink {
namespace {

// Where one continuation in three gets away, the first look is wrong in one of 26 cases, and after
// the second in one of 3,000.
constexpr std::uint32_t first_look = 8;
constexpr std::uint32_t second_look = 20;

class searcher {
 public:
  searcher(const trace& failing, const runner& run, const budget& within, std::uint64_t seed)
      : failing_(failing), own_(schedule_of(failing)), run_(run), within_(within), random_(seed) {}

  std::optional<critical_transition> find() {
    std::uint64_t low = 0;
    std::uint64_t high = failing_.schedule.size();
    for (;;) {
      while (low < high) {
        const auto middle = low + (high - low) / 2;
        if (certain_after(middle, first_look))
          high = middle;
        else
          low = middle + 1;
      }
      if (out_of_budget_) return std::nullopt;
      if (certain_after(low, second_look)) break;
      if (out_of_budget_) return std::nullopt;
      low = std::min<std::uint64_t>(low + 1, failing_.schedule.size());
      high = failing_.schedule.size();
    }
    const bool at_the_end = low == failing_.schedule.size();
    return critical_transition{low, at_the_end ? 0 : second_look, executions_};
  }

 private:
  // At the end there is nothing to continue.
  bool certain_after(std::uint64_t picks, std::uint32_t tries) {
    if (picks == failing_.schedule.size()) return true;
    for (std::uint32_t i = 0; i < tries; ++i) {
      if (executions_ == within_.executions || steps_ >= within_.steps || within_.out_of_time()) {
        out_of_budget_ = true;
        return true;
      }
      ++executions_;
      const auto made = run_(continuation(picks));
      steps_ += made.what_happened.steps;
      if (!made.fails) return false;
    }
    return true;
  }

  // The same up to there; then every second step goes to anybody, if he can.
  schedule continuation(std::uint64_t picks) {
    schedule made;
    for (const auto& pick : own_.picks)
      if (pick.step < picks) made.picks.push_back(pick);
    for (const auto& draw : own_.draws)
      if (draw.step <= picks) made.draws.push_back(draw);
    const auto end =
        std::min<std::uint64_t>(2 * failing_.schedule.size() + 100, schedule_steps_max);
    for (auto step = picks; step < end; ++step)
      if (random_.below(2) == 0)
        made.picks.push_back({static_cast<std::uint32_t>(step),
                              task_id(static_cast<std::uint16_t>(random_.below(
                                  std::max<std::size_t>(failing_.tasks.size(), 1))))});
    return made;
  }

  const trace& failing_;
  schedule own_;
  const runner& run_;
  const budget& within_;
  strategy::generator random_;
  std::uint64_t executions_ = 0;
  std::uint64_t steps_ = 0;
  bool out_of_budget_ = false;
};

}  // namespace

std::optional<critical_transition> find_critical(const trace& failing, const runner& run,
                                                 const budget& within, std::uint64_t seed) {
  return searcher(failing, run, within, seed).find();
}

}  // namespace forkloom::shrink
