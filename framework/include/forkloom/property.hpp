// Properties in Catch2 whose cases are scenarios: rapidcheck draws the values and makes a
// counter-example smaller, Forkloom runs each case under many schedules.
//
//   TEST_CASE("a queue") {
//     forkloom::prop("is linearizable", [] {
//       auto object = operations_of_a_queue();
//       const auto program = *object.programs(2, 4);
//       forkloom::check_scenario("a queue", {.executions = 100}, [&](forkloom::scenario& scenario)
//       {
//         auto& memory = scenario.make<queue_memory>("queue");
//         object.opened_by([&](forkloom::process&) { return queue(memory); });
//         forkloom::run_program(scenario, object, program);
//       });
//     });
//   }
//
// Link forkloom_catch2_main, or forkloom_catch2 and a main() of your own.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "forkloom/options.hpp"
#include "forkloom/rapidcheck_property.hpp"
#include "forkloom/scenario.hpp"
#include "forkloom/source_place.hpp"

namespace forkloom {

namespace detail {

// The report of a campaign over that scenario; "" if it went as expected.
[[nodiscard]] std::string trouble_in(const std::string& name, const options& how,
                                     const std::function<void(scenario&)>& body,
                                     source_place where);

void run_property(property cases, const std::string& description, source_place where);

}  // namespace detail

// In a property (of forkloom::prop, rc::prop or rc::check): explores a scenario, and the case fails
// if that does not go as `how.expects` says. The values that rapidcheck drew can be captured by
// reference. FORKLOOM_EXECUTIONS, FORKLOOM_SEED and FORKLOOM_STRATEGY apply. With FORKLOOM_REPLAY,
// a token of this scenario is replayed, and a scenario that the token is not of is passed over.
inline void check_scenario(const std::string& name, const options& how,
                           const std::function<void(scenario&)>& body,
                           source_place where = source_place::here()) {
  if (const auto trouble = detail::trouble_in(name, how, body, where); !trouble.empty())
    detail::fail_case(trouble);
}

// A section of a test case, as rc::prop makes one. The description is unique among the program's
// properties. A failure shows the smallest counter-example, and ends with one line that brings back
// both: the case by RC_PARAMS, its schedule by FORKLOOM_REPLAY.
template <class Testable>
void prop(const std::string& description, Testable&& testable,
          source_place where = source_place::here()) {
  detail::run_property(detail::property(description, std::forward<Testable>(testable)), description,
                       where);
}

}  // namespace forkloom
