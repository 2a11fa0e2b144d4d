// What a case and a property come to in a Catch2 session.
#include "forkloom/property.hpp"

#include <errno.h>
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <iostream>

#include "framework/catch2/bridge.hpp"
#include "framework/catch2/replay.hpp"
#include "framework/explore/campaign.hpp"
#include "framework/report/text.hpp"

namespace forkloom::detail {
namespace {

// Cases run one after the other, in the process of the session.
struct session {
  bool searching = false;    // a case is one of many: what cannot change the answer is left out
  bool in_property = false;  // the property tells how the case is brought back
  std::string token;         // of the last case that failed
};
session current;

std::string quoted(std::string text) {
  for (auto at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 4))
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

std::string line_that_brings_back(const std::string& reproduce) {
  const auto token = current.token.empty() ? "" : fmt::format(" FORKLOOM_REPLAY={}", current.token);
  return fmt::format("Reproduce it with: RC_PARAMS={}{} {} {}\n", quoted(reproduce), token,
                     ::program_invocation_name, quoted(catch2::current_test_case()));
}

explore::campaign_result carried_out(const scenario_info& scenario, const options& how) {
  if (const auto token = catch2::token_to_replay()) return explore::replay(scenario, *token, how);
  auto adjusted = explore::with_environment(how);
  adjusted.shrink = current.searching ? shrink_what::nothing : shrink_what::surprises;
  if (current.searching) adjusted.replays = 1;
  return explore::run_campaign(scenario, adjusted);
}

// A replay that departs from its token fails, too: else rapidcheck would say that it cannot
// reproduce the case, and nothing of why.
bool departed(const explore::campaign_result& result) {
  return std::any_of(result.findings.begin(), result.findings.end(),
                     [](const auto& f) { return !f.divergence.empty() && f.reproduced == 0; });
}

}  // namespace

std::string trouble_in(const std::string& name, const options& how,
                       const std::function<void(scenario&)>& body, source_place where) {
  const auto token = catch2::token_to_replay();
  if (token && token->scenario != scenario_hash(name)) return {};
  const scenario_info info{.name = name,
                           .tags = {},
                           .file = where.file,
                           .line = where.line,
                           .body = body,
                           .defaults = how};
  const auto result = carried_out(info, how);
  // The campaign took the signal; the session is told now, by the handler that Catch2 has for it.
  if (const int signal = explore::interrupting_signal(); signal != 0) ::raise(signal);
  if (result.how == explore::verdict::as_expected && !departed(result)) return {};
  current.token = result.findings.empty() ? "" : result.findings.front().token;
  auto look = catch2::inside_catch2;
  look.replay_with = current.in_property ? "" : "FORKLOOM_REPLAY=";
  return report::full_report(result, look);
}

void run_property(property cases, const std::string& description, source_place where) {
  catch2::in_section(where, description, [&] {
    current = {.searching = true, .in_property = true, .token = {}};
    auto outcome = cases.hold();
    current.searching = false;
    if (!outcome.reproduce.empty() && !catch2::token_to_replay())
      outcome = cases.reproduce();  // with everything that there is to tell
    current.in_property = false;
    if (!outcome.reproduce.empty()) {
      const auto line = line_that_brings_back(outcome.reproduce);
      outcome.message += "\n" + line;
      std::cerr << line;  // whole; Catch2's console reporter would break it
    }
    outcome.held ? catch2::succeed(where, outcome.message) : catch2::fail(where, outcome.message);
  });
}

}  // namespace forkloom::detail
