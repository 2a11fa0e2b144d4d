#include "framework/cli/names.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace forkloom::cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances of a's beginning to each beginning of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> close_names(std::string_view wanted, std::span<const std::string> names) {
  constexpr std::size_t most = 3;
  std::vector<std::pair<std::size_t, std::string>> close;
  if (wanted.empty()) return {};
  for (const auto& name : names) {
    const auto distance = edit_distance(wanted, name);
    const auto part = wanted.size() >= 3 && name.find(wanted) != std::string::npos;
    if (part || distance <= std::max<std::size_t>(1, wanted.size() / 3))
      close.emplace_back(distance, name);
  }
  std::sort(close.begin(), close.end());
  std::vector<std::string> closest;
  for (std::size_t i = 0; i < close.size() && i < most; ++i) closest.push_back(close[i].second);
  return closest;
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string> names) {
  std::string question;
  for (const auto& name : close_names(wanted, names))
    question += (question.empty() ? " Did you mean '" : " or '") + name + "'";
  return question.empty() ? question : question + "?";
}

}  // namespace forkloom::cli
