// Depth-first search of all interleavings, those with few preemptions first: Musuvathi and Qadeer,
// "Iterative context bounding for systematic testing of multithreaded programs", PLDI 2007.
//
// All schedules with c preemptions are explored before any with c + 1. Each is explored exactly
// once: an execution follows its course and then goes on without preemptions, and every other pick
// or draw that it could have made after its course begins a course of its own.
//
// Attempts of calls that have to wait are steps like others, so two interleavings may differ in
// nothing else. A task that yields does not go on as long as others can.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/explore/explorer.hpp"
#include "framework/explore/search_tally.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom::explore {

class dfs final : public explorer {
 public:
  // bound: on the preemptions of a schedule; none: all.
  explicit dfs(std::optional<std::uint32_t> bound) : bound_(bound) {}

  [[nodiscard]] std::optional<attempt> next(std::uint64_t number) override;
  void learn(const trace& what, bool violated) override;
  [[nodiscard]] bool samples() const override { return false; }
  [[nodiscard]] std::string conclusion() const override;

  [[nodiscard]] bool finished() const noexcept { return begun_ && now_.empty() && later_.empty(); }

 private:
  struct course {
    schedule what;
    std::uint64_t picks = 0;  // its length
    std::uint64_t draws = 0;  // how many draws it settles, those of value 0 included
  };

  void branch(const trace& what, const schedule& whole);
  void add_picks(const trace& what, const schedule& whole, std::size_t pick, std::size_t draws);
  void add_draws(const trace& what, const schedule& whole, std::size_t draw);

  std::optional<std::uint32_t> bound_;
  std::uint32_t preemptions_ = 0;  // of the schedules that are explored now
  std::vector<course> now_;        // the last one first
  std::vector<course> later_;      // with one preemption more
  course course_;                  // the last attempt's, which refers to it
  bool begun_ = false;
  std::uint64_t beyond_ = 0;  // courses that were left out because of the bound
  search_tally tally_;
};

}  // namespace forkloom::explore
