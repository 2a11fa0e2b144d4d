// The JSON of the command. Its form is a contract (docs/command.md): keys are added, never changed.
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "forkloom/registry.hpp"
#include "framework/explore/result.hpp"

namespace forkloom::report {

// {"scenarios": [{"name", "strategy", "seed", "executions", …, "violations": […]}]}
[[nodiscard]] nlohmann::json results_json(std::span<const explore::campaign_result> results);

// {"scenarios": [{"name", "tags", "expects", "file", "line"}]}
[[nodiscard]] nlohmann::json list_json(std::span<const scenario_info* const> scenarios);

// Text of the JSON; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string dump(const nlohmann::json& json);

}  // namespace forkloom::report
