// A checker is a pure function from a trace to the violations in it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "forkloom/violation.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom::checkers {

// The bounds that checkers take from the scenario's options.
struct limits {
  // A waiter may be overtaken this often on one resource before that is starvation.
  std::uint32_t bypass_max = 32;
};

struct checker {
  std::string_view name;         // as in --checkers
  std::string_view description;  // one line for people
  std::vector<violation> (*check)(const trace&, const limits&);
  bool by_default = true;  // used if the options name no checkers
};

// Every checker, the most telling first: the first violation of an execution is the one reported.
[[nodiscard]] std::span<const checker> all();

// One function a checker, each in the file of its name.
[[nodiscard]] std::vector<violation> check_crash(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_deadlock(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_data_race(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_lost_update(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_not_linearizable(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_starvation(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_expectation(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_exit(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_hang(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_leak(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_lock_order(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_unchecked_failure(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_atomicity(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_message(const trace&, const limits&);
[[nodiscard]] std::vector<violation> check_permissions(const trace&, const limits&);

}  // namespace forkloom::checkers
