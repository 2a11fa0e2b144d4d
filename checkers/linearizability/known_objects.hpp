// Objects that everybody knows, with their models, and faster ways to judge them.
//
// If no value is inserted twice, the calls about a value can be told apart from all others, and
// then these objects can be judged in log-linear time: registers by Gibbons & Korach ("Testing
// Shared Memories", SIAM J. Comput. 1997), collections in the manner of Lee & Mathur ("Efficient
// Decision Procedures for Linearizability", OOPSLA 2025).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "checkers/linearizability/linearizability.hpp"

namespace forkloom::checkers {

enum class known_object : std::uint8_t {
  cell,            // a register; 0 at first
  set,             //
  queue,           // first in, first out
  stack,           //
  priority_queue,  // the greatest value goes first
};

// recorded_call::operation of these objects.
namespace calls {
// A register: write(argument); read() → result.
// A set: insert(argument), remove(argument) and look(argument) → 1 if it changed or is there, or 0.
// The others: insert(argument); remove() → result, or `nothing` if there was none.
constexpr std::uint32_t insert = 0;
constexpr std::uint32_t remove = 1;
constexpr std::uint32_t look = 2;
constexpr std::uint32_t write = insert;
constexpr std::uint32_t read = look;
}  // namespace calls

constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::min();

[[nodiscard]] std::unique_ptr<sequential_model> model_of(known_object object);

// Is it linearizable? Nothing where the fast way does not apply: a value is inserted twice (or the
// register's first value is written), or a removal is pending that could have taken anything. Keys
// are not looked at.
[[nodiscard]] std::optional<bool> judge_distinct(known_object object, const history& what);

// The fast way if it applies to all keys, else the search. The fast way gives no order.
[[nodiscard]] judgement judge_known(known_object object, const history& what,
                                    const search_limits& limits = {});

// One for each object, in the file of its name.
[[nodiscard]] std::optional<bool> judge_distinct_register(const history& what);
[[nodiscard]] std::optional<bool> judge_distinct_set(const history& what);
[[nodiscard]] std::optional<bool> judge_distinct_queue(const history& what);
[[nodiscard]] std::optional<bool> judge_distinct_stack(const history& what);
[[nodiscard]] std::optional<bool> judge_distinct_priority_queue(const history& what);

}  // namespace forkloom::checkers
