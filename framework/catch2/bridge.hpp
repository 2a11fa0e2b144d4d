// All that Forkloom wants of Catch2, in words that do not depend on Catch2's version.
#pragma once

#include <functional>
#include <string>

#include "forkloom/registry.hpp"
#include "forkloom/source_place.hpp"

namespace forkloom::catch2 {

// Adds a test case with the scenario's name, tags, file and line. The scenario must outlive the
// session.
void add_test_case(const scenario_info& scenario, std::function<void()> body);

// Runs `body` if Catch2 enters the section in this pass over the test case. Catch2 keeps the
// place's file until the session ends.
void in_section(source_place where, const std::string& name, const std::function<void()>& body);

// An assertion at that place that held, or did not. The latter ends the pass, as REQUIRE does.
void succeed(source_place where, const std::string& message);
void fail(source_place where, const std::string& message);

// The name of the test case that is running.
[[nodiscard]] std::string current_test_case();

}  // namespace forkloom::catch2
