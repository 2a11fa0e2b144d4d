// What people read.
#pragma once

#include <string>

#include "framework/explore/result.hpp"
#include "framework/report/display.hpp"

namespace forkloom::report {

// One line: the scenario, whether it went as expected, and how much was tried.
[[nodiscard]] std::string summary(const explore::campaign_result& result, const style& look);

// Everything about one finding; its last line tells how to replay it.
[[nodiscard]] std::string explain(const explore::finding& found, const style& look);

// The finding in two lines: the violation, and how to replay it.
[[nodiscard]] std::string brief(const explore::finding& found, const style& look);

// The summary, what was not under control, and every finding explained.
[[nodiscard]] std::string full_report(const explore::campaign_result& result, const style& look);

}  // namespace forkloom::report
