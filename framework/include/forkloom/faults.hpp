// What has befallen the processes of an execution: options::faults says what may.
//
//   scenario.finally([&] {
//     const auto killed = forkloom::faults_happened("kill");
//     forkloom::expect(forkloom::that(done.load() + killed) >= 2U);
//   });
#pragma once

#include <string_view>

namespace forkloom {

// How often a fault of that kind has happened in this execution so far; 0 outside of one, and for
// kinds that may not happen in it. For processes and for finally. Throws usage_error for a kind
// that there is not.
[[nodiscard]] unsigned faults_happened(std::string_view kind);

}  // namespace forkloom
