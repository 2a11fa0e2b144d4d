// A campaign's result as JSON, for the way from its worker process to the caller. Lossless through
// to_cbor and from_cbor; for the JSON that users see, look at framework/report/json.hpp.
#pragma once

#include <nlohmann/json.hpp>

#include "framework/explore/result.hpp"

namespace forkloom::explore {

void to_json(nlohmann::json& json, const execution_hash& value);
void to_json(nlohmann::json& json, const coverage_summary& value);
void to_json(nlohmann::json& json, const estimate_summary& value);
void to_json(nlohmann::json& json, const finding& value);
void to_json(nlohmann::json& json, const campaign_result& value);

// These throw usage_error, saying which field is missing or out of range.
void from_json(const nlohmann::json& json, execution_hash& value);
void from_json(const nlohmann::json& json, coverage_summary& value);
void from_json(const nlohmann::json& json, estimate_summary& value);
void from_json(const nlohmann::json& json, finding& value);
void from_json(const nlohmann::json& json, campaign_result& value);

}  // namespace forkloom::explore
