// Where a search has been: which calls have taken effect, and the state that they led to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace forkloom::checkers {

// A set of calls, a bit each.
class call_set {
 public:
  explicit call_set(std::size_t calls) : words_((calls + 63) / 64) {}
  void insert(std::size_t call) { words_[call / 64] |= std::uint64_t{1} << call % 64; }
  void erase(std::size_t call) { words_[call / 64] &= ~(std::uint64_t{1} << call % 64); }
  [[nodiscard]] bool contains(std::size_t call) const {
    return (words_[call / 64] >> call % 64 & 1) != 0;
  }
  [[nodiscard]] const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  std::vector<std::uint64_t> words_;
};

// Configurations of one history, which all have the same number of words: they lie in one row, and
// an open hash table says where. A set of nodes took three times as long.
class configuration_set {
 public:
  explicit configuration_set(std::size_t calls) : width_((calls + 63) / 64 + 1), slots_(256, 0) {}

  // False if it was there.
  bool insert(const call_set& done, std::uint32_t state) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    rows_.insert(rows_.end(), done.words().begin(), done.words().end());
    rows_.push_back(state);
    const auto slot = find(count_);
    if (slots_[slot] != 0) {
      rows_.resize(rows_.size() - width_);
      return false;
    }
    slots_[slot] = ++count_;
    return true;
  }

  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  [[nodiscard]] auto row(std::size_t number) const {
    return rows_.begin() + static_cast<std::ptrdiff_t>(number * width_);
  }

  [[nodiscard]] std::size_t hash(std::size_t number) const {
    std::uint64_t mixed = 0;
    const auto begin = row(number);
    for (auto word = begin; word != begin + static_cast<std::ptrdiff_t>(width_); ++word) {
      mixed = (mixed ^ *word) * 0x9e3779b97f4a7c15U;  // Fibonacci hashing, word by word
      mixed ^= mixed >> 29;
    }
    return static_cast<std::size_t>(mixed);
  }

  // The slot of an equal row, or the free one where it belongs. Slots hold row numbers from 1.
  [[nodiscard]] std::size_t find(std::size_t number) const {
    const auto mask = slots_.size() - 1;
    const auto wanted = row(number);
    for (auto slot = hash(number) & mask;; slot = (slot + 1) & mask) {
      if (slots_[slot] == 0) return slot;
      if (std::equal(wanted, wanted + static_cast<std::ptrdiff_t>(width_), row(slots_[slot] - 1)))
        return slot;
    }
  }

  void grow() {
    std::vector<std::size_t> wider(slots_.size() * 2, 0);
    slots_.swap(wider);
    for (std::size_t number = 0; number < count_; ++number) slots_[find(number)] = number + 1;
  }

  std::size_t width_;
  std::size_t count_ = 0;
  std::vector<std::uint64_t> rows_;
  std::vector<std::size_t> slots_;
};

}  // namespace forkloom::checkers
