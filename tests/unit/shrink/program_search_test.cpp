#include "framework/shrink/program_search.hpp"

#include <algorithm>

#include "tests/catch.hpp"

namespace {

using forkloom::shrink::candidate;
using forkloom::shrink::program_search;
using forkloom::shrink::shrink_path;
using forkloom::shrink::smallest_program;

constexpr auto always = [] { return true; };

// A list of numbers, which shrinks by leaving one out and then by counting one down.
using list = std::vector<int>;

std::vector<list> shrinks(const list& of) {
  std::vector<list> all;
  for (std::size_t i = 0; i < of.size(); ++i) {
    all.push_back(of);
    all.back().erase(all.back().begin() + static_cast<long>(i));
  }
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (of[i] == 0) continue;
    all.push_back(of);
    --all.back()[i];
  }
  return all;
}

std::vector<list> walk(list from, const shrink_path& path) {
  std::vector<list> seen{std::move(from)};
  for (const auto step : path) {
    const auto next = shrinks(seen.back());
    if (step >= next.size()) return {};
    seen.push_back(next[step]);
  }
  return seen;
}

template <class Fails>
auto judging(const list& from, Fails fails) {
  return [=](const shrink_path& path) {
    const auto seen = walk(from, path);
    if (seen.empty()) return candidate::missing;
    return fails(seen.back()) ? candidate::fails : candidate::passes;
  };
}

}  // namespace

TEST_CASE("a search ends at a program none of whose shrinks fails", "[shrink]") {
  const list first{4, 1, 7, 2, 9};
  const auto fails = [](const list& one) {
    return std::count_if(one.begin(), one.end(), [](int n) { return n >= 3; }) >= 2;
  };
  const auto found = smallest_program({}, judging(first, fails), always);
  CHECK(found.complete);
  CHECK(walk(first, found.path).back() == list{3, 3});
  CHECK(found.accepted == found.path.size());
  CHECK(found.candidates > found.accepted);
}

TEST_CASE("a program whose shrinks all pass stays as it is", "[shrink]") {
  const auto found = smallest_program({}, judging({1}, [](const list&) { return false; }), always);
  CHECK(found.complete);
  CHECK(found.path.empty());
  CHECK(found.accepted == 0);
  CHECK(found.candidates == 2);
}

TEST_CASE("a search goes on from where it begins", "[shrink]") {
  const list first{5, 5};
  const auto fails = [](const list& one) { return !one.empty(); };
  const auto found = smallest_program({0}, judging(first, fails), always);
  CHECK(found.path.front() == 0);
  CHECK(walk(first, found.path).back() == list{0});
}

TEST_CASE("a search that may not go on keeps the smallest that failed", "[shrink]") {
  const list first{9, 9, 9};
  int left = 4;
  const auto found = smallest_program(
      {}, judging(first, [](const list& one) { return !one.empty(); }), [&] { return left-- > 0; });
  CHECK_FALSE(found.complete);
  CHECK(found.candidates == 4);
  CHECK(walk(first, found.path).back().size() == 1);
}
