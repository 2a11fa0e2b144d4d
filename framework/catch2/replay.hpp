// What scenarios and properties in a Catch2 session have in common.
#pragma once

#include <cstdlib>
#include <optional>

#include "framework/report/display.hpp"
#include "framework/trace/token.hpp"

namespace forkloom::catch2 {

// Narrower than the width that main.cpp gives Catch2, which counts bytes: "│" is three.
inline constexpr report::style inside_catch2{.columns = 120};

// From FORKLOOM_REPLAY. Throws usage_error if it is none.
inline std::optional<replay_token> token_to_replay() {
  const char* text = std::getenv("FORKLOOM_REPLAY");  // NOLINT(concurrency-mt-unsafe)
  if (text == nullptr || *text == '\0') return std::nullopt;
  return decode(text);
}

}  // namespace forkloom::catch2
