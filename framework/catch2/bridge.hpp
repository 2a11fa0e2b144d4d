// All that Forkloom wants of Catch2, in words that do not depend on Catch2's version.
#pragma once

#include <functional>
#include <string>

#include "forkloom/registry.hpp"

namespace forkloom::catch2 {

// Adds a test case with the scenario's name, tags, file and line. The scenario must outlive the
// session.
void add_test_case(const scenario_info& scenario, std::function<void()> body);

// Runs `body` if Catch2 enters the section in this pass over the test case.
void in_section(const scenario_info& scenario, const std::string& name,
                const std::function<void()>& body);

// An assertion at the scenario's place that held, or did not. The latter ends the pass, as REQUIRE
// does.
void succeed(const scenario_info& scenario, const std::string& message);
void fail(const scenario_info& scenario, const std::string& message);

}  // namespace forkloom::catch2
