// Guided exploration: schedules that showed a new ordering are kept, and later executions are
// mutations of them. The idea is that of coverage-guided fuzzing; for schedules see Wolff, Shi,
// Duck, Mathur, Roychoudhury, "Greybox fuzzing for concurrency testing", ASPLOS 2024 (RFF). That
// one mutates which write each read shall see; here it is the schedule itself, as the places where
// it departs from the usual course (trace/schedule.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "framework/explore/explorer.hpp"
#include "framework/strategy/random.hpp"
#include "framework/trace/schedule.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::explore {

// The execution that a schedule is of: how long, of how many tasks, and what was drawn in it.
struct extent {
  std::uint32_t steps = 1;
  std::uint32_t tasks = 1;
  std::vector<draw_record> draws = {};  // those of value 0, too; some, if there were many
};

class guided final : public explorer {
 public:
  explicit guided(const exploration& how) : campaign_seed_(how.seed), seen_(*how.coverage) {}

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;

  // Also of executions that another explorer asked for.
  void learn(const trace& what, bool violated) override;
  [[nodiscard]] std::string conclusion() const override;

  // A schedule with more entries than these is not kept: its token would be too long.
  static constexpr std::size_t entries_max = 5'000;
  static constexpr std::size_t kept_max = 500;
  static constexpr std::size_t draws_max = 1'000;  // remembered of each

 private:
  struct kept {
    schedule what;
    extent of;
    std::uint64_t used = 0;
  };

  [[nodiscard]] kept& choose(strategy::generator& random);

  std::uint64_t campaign_seed_;
  const coverage_book& seen_;
  std::vector<kept> all_;
  schedule current_;  // of the last attempt, which points to it
  std::uint64_t mutations_ = 0;
};

// One random change: an entry more, one less, or one at another place. Every second one is of a
// draw (a fault, who is woken), if there were any.
void mutate(schedule& what, const extent& of, strategy::generator& random);

}  // namespace forkloom::explore
