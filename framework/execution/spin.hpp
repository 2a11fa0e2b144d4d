// Does a task spin? It does if it looks at a few places in shared memory, again and again, sees
// what it saw before, and does nothing else that anybody could notice. A thread keeps one of these
// for itself. Allocates nothing.
//
// It is a guess: a loop of finite length looks the same while it lasts (`for (i = 0; i < shm->n;
// …)` without optimisation). So a spinner is never held up for good; it only stands behind all
// others, and after more looks behind time, too.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "framework/trace/ids.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom::execution {

class spin_watch {
 public:
  // So many looks without anything new make a spinner. A loop that waits costs so many steps before
  // it is known for one.
  static constexpr std::uint32_t spinning_looks = 32;

  // And after so many it waits for time to pass. Far more than a loop over a small table makes, and
  // far fewer than the default limit of steps without progress.
  static constexpr std::uint32_t patient_looks = 1'000;

  // The task's operation completed. changed: whether it left its resource different.
  void completed(operation op, resource_id resource, std::uint64_t value, bool changed) noexcept {
    switch (op) {
      case operation::load:
      case operation::modify:
        return changed ? reset() : saw(resource, value);
      case operation::yield:
      case operation::clock_read:
        return look();
      default:
        return reset();
    }
  }

  void reset() noexcept { *this = {}; }

  [[nodiscard]] bool spins() const noexcept { return looks_ >= spinning_looks; }
  [[nodiscard]] bool waits_for_time() const noexcept { return looks_ >= patient_looks; }

  // Is this the first time that it is found to spin here?
  [[nodiscard]] bool is_news() noexcept {
    const bool first = !told_;
    told_ = true;
    return first;
  }

  // What it looks at.
  [[nodiscard]] std::span<const resource_id> places() const noexcept {
    return {places_.data(), count_};
  }

 private:
  void look() noexcept {
    if (looks_ < patient_looks) ++looks_;
  }

  void saw(resource_id resource, std::uint64_t value) noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      if (places_[i] != resource) continue;
      if (values_[i] == value) return look();
      reset();
      break;
    }
    if (count_ == places_.size()) reset();
    places_[count_] = resource;
    values_[count_++] = value;
    looks_ = 0;
  }

  std::uint32_t looks_ = 0;
  bool told_ = false;
  std::size_t count_ = 0;
  std::array<resource_id, 8> places_{};
  std::array<std::uint64_t, 8> values_{};
};

}  // namespace forkloom::execution
