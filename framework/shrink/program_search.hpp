// The way down rapidcheck's tree of shrinks, to a generated program that is as small as it gets:
// from each program that fails to the first of its shrinks that fails, too, until none does.
//
// It is rapidcheck's own search, with one difference: a program may need many schedules to fail, so
// whether it fails is asked elsewhere, and how long is decided elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace forkloom::shrink {

enum class candidate : std::uint8_t {
  fails,
  passes,
  missing,  // there are no more shrinks of its parent
};

// Which shrink of the first program, which shrink of that, …
using shrink_path = std::vector<std::size_t>;

struct program_search {
  shrink_path path;              // of the smallest that fails
  std::uint64_t accepted = 0;    // how often the program became smaller
  std::uint64_t candidates = 0;  // that were tried
  bool complete = false;         // all shrinks of the last one pass
};

// judge(path) → candidate; may_go_on() → bool, asked before each candidate. The program at `from`
// fails.
template <class Judge, class MayGoOn>
[[nodiscard]] program_search smallest_program(shrink_path from, Judge&& judge,
                                              MayGoOn&& may_go_on) {
  program_search search{.path = std::move(from)};
  search.path.push_back(0);
  while (may_go_on()) {
    const auto what = judge(search.path);
    if (what == candidate::missing) {
      search.complete = true;
      break;
    }
    ++search.candidates;
    if (what == candidate::passes) {
      ++search.path.back();
    } else {
      ++search.accepted;
      search.path.push_back(0);
    }
  }
  search.path.pop_back();
  return search;
}

}  // namespace forkloom::shrink
