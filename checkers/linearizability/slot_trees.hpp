// Rows of slots that answer questions about a stretch of them in logarithmic time: segment trees.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "checkers/linearizability/moments.hpp"

namespace forkloom::checkers {

// A number for each slot, `never` at first; knows where the smallest is.
class smallest {
 public:
  explicit smallest(std::int64_t slots) {
    while (width_ < static_cast<std::size_t>(slots)) width_ *= 2;
    best_.assign(2 * width_, never);
  }

  void set(std::int64_t slot, std::int64_t value) {
    auto at = width_ + static_cast<std::size_t>(slot);
    best_[at] = value;
    for (at /= 2; at > 0; at /= 2) best_[at] = std::min(best_[2 * at], best_[2 * at + 1]);
  }

  [[nodiscard]] std::int64_t operator[](std::int64_t slot) const {
    return best_[width_ + static_cast<std::size_t>(slot)];
  }

  // A slot of [from, to) with the smallest number; nothing if all there are `never`.
  [[nodiscard]] std::optional<std::int64_t> least(std::int64_t from, std::int64_t to) const {
    std::size_t least = 0;  // a node; 0 is none
    const auto consider = [&](std::size_t node) {
      if (best_[node] < (least == 0 ? never : best_[least])) least = node;
    };
    auto low = width_ + static_cast<std::size_t>(from);
    auto high = width_ + static_cast<std::size_t>(to);
    for (; low < high; low /= 2, high /= 2) {
      if (low % 2 == 1) consider(low++);
      if (high % 2 == 1) consider(--high);
    }
    if (least == 0) return std::nullopt;
    while (least < width_) least = 2 * least + (best_[2 * least] == best_[least] ? 0 : 1);
    return static_cast<std::int64_t>(least - width_);
  }

 private:
  std::size_t width_ = 1;  // a power of two; leaf i is node width_ + i, node n's parent n / 2
  std::vector<std::int64_t> best_;
};

// How many values cover each slot; knows which slots are free.
class coverage {
 public:
  explicit coverage(std::int64_t slots) : slots_(slots) {
    nodes_.resize(4 * static_cast<std::size_t>(slots));
  }

  // To each slot of [from, to).
  void add(std::int64_t from, std::int64_t to, std::int64_t by) {
    add(0, {0, slots_}, {from, to}, by);
  }

  // The first slot of [from, to) that nothing covers.
  [[nodiscard]] std::optional<std::int64_t> first_free(std::int64_t from, std::int64_t to) const {
    return first_free(0, {0, slots_}, {from, to}, 0);
  }

 private:
  struct stretch {
    std::int64_t from;
    std::int64_t to;
    [[nodiscard]] bool within(const stretch& s) const { return s.from <= from && to <= s.to; }
    [[nodiscard]] bool apart(const stretch& s) const { return to <= s.from || s.to <= from; }
    [[nodiscard]] stretch first_half() const { return {from, (from + to) / 2}; }
    [[nodiscard]] stretch second_half() const { return {(from + to) / 2, to}; }
  };
  struct node {
    std::int64_t added = 0;  // to all slots below
    std::int64_t least = 0;  // of the slots below, with all that was added to this node or lower
  };

  void add(std::size_t n, stretch own, stretch where, std::int64_t by) {
    if (own.apart(where)) return;
    if (own.within(where)) {
      nodes_[n].added += by;
      nodes_[n].least += by;
      return;
    }
    add(2 * n + 1, own.first_half(), where, by);
    add(2 * n + 2, own.second_half(), where, by);
    nodes_[n].least = nodes_[n].added + std::min(nodes_[2 * n + 1].least, nodes_[2 * n + 2].least);
  }

  [[nodiscard]] std::optional<std::int64_t> first_free(std::size_t n, stretch own, stretch where,
                                                       std::int64_t above) const {
    if (own.apart(where) || above + nodes_[n].least > 0) return std::nullopt;
    if (own.to - own.from == 1) return own.from;
    above += nodes_[n].added;
    const auto left = first_free(2 * n + 1, own.first_half(), where, above);
    return left ? left : first_free(2 * n + 2, own.second_half(), where, above);
  }

  std::int64_t slots_;
  std::vector<node> nodes_;
};

}  // namespace forkloom::checkers
