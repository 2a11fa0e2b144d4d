// Traces and violations as JSON, for failure files and for the way from a campaign's worker to its
// caller. What is written can be read again without loss, also when a string is not UTF-8, as long
// as the text form is not involved (to_cbor keeps all bytes; dump needs error_handler_t::replace).
//
// The from_json functions throw usage_error, saying which field is missing or out of range. They do
// not check that indices lead anywhere: everything that reads a trace copes with any index.
#pragma once

#include <nlohmann/json.hpp>

#include "forkloom/violation.hpp"
#include "framework/trace/trace.hpp"

namespace forkloom {

void to_json(nlohmann::json& json, const violation& value);
void from_json(const nlohmann::json& json, violation& value);

// An event is an array, because there are many: step, clock, task, operation, how, resource,
// second, result, error, before, after, site, stack.
void to_json(nlohmann::json& json, const trace& value);
void from_json(const nlohmann::json& json, trace& value);

}  // namespace forkloom
