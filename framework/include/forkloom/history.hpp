// What an object was asked to do, by several processes at once, and what it answered; and the
// sequential model that the answers are measured by. Plain values, which can be written by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace forkloom {

// One call of one process. `invoked` and `returned` are positions among all invocations and
// responses of the history: no two are equal, and only their order counts.
struct recorded_call {
  unsigned process = 0;
  std::uint64_t invoked = 0;
  std::uint64_t returned = 0;   // without meaning while the call is pending
  bool pending = false;         // it has not returned: it may have taken effect, or never will
  std::uint32_t operation = 0;  // which one, as the model numbers them
  std::int64_t argument = 0;
  std::int64_t result = 0;  // without meaning while the call is pending
  std::uint64_t key = 0;    // calls with different keys have nothing to do with each other
};

// The calls of a process do not overlap. Their order in the vector has no meaning.
struct history {
  std::vector<recorded_call> calls;
};

// What an order of the calls that explains their results must respect.
enum class consistency : std::uint8_t {
  linearizable,  // a call that returned before another was invoked comes first (Herlihy & Wing)
  sequential,    // the order of each process's own calls (Lamport)
  quiescent,     // calls with a moment between them at which none was under way
};

// The object as it would be if one process used it at a time. States are numbers: equal states have
// equal numbers, which is what lets a search recognise where it has been; see state_table.
class sequential_model {
 public:
  using state = std::uint32_t;

  sequential_model() = default;
  sequential_model(const sequential_model&) = delete;
  sequential_model& operator=(const sequential_model&) = delete;
  virtual ~sequential_model() = default;

  [[nodiscard]] virtual state initial() = 0;

  // The state after the call; nothing if the object, in that state, would have answered with
  // another result. A pending call may have any result. What it throws ends the judgement.
  [[nodiscard]] virtual std::optional<state> after(state before, const recorded_call& call) = 0;
};

enum class answer : std::uint8_t { yes, no, unknown };

struct judgement {
  answer consistent = answer::unknown;
  std::vector<std::size_t> order;    // yes: an order of calls that explains their results
  std::uint64_t configurations = 0;  // that the search has seen
  std::string why;                   // unknown: which limit was met
};

}  // namespace forkloom
