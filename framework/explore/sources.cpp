#include "framework/explore/sources.hpp"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "framework/explore/debug_information.hpp"

namespace forkloom::explore {
namespace {

struct line {
  std::string text;    // "file:line"; empty if unknown
  bool users = false;  // written by the user, not by Forkloom or a library
};

// Headers that stand between the user's line and the operation: they are implementation to them.
bool is_users(std::string_view file) {
  return !file.starts_with("/usr/include/") && !file.starts_with("/usr/lib/") &&
         file.find("framework/include/forkloom/") == std::string_view::npos &&
         file.find("framework/intercept/") == std::string_view::npos &&
         file.find("framework/execution/") == std::string_view::npos &&
         file.find("framework/memory/") == std::string_view::npos &&
         file.find("framework/dsl/") == std::string_view::npos &&
         file.find("framework/explore/") == std::string_view::npos && file.find('/') != file.npos;
}

class resolver {
 public:
  // The user's line at a return address, looking outwards through what was inlined there.
  const line& at(std::uint64_t address) {
    const auto [entry, is_new] = known_.try_emplace(address);
    if (is_new) entry->second = resolve(address);
    return entry->second;
  }

 private:
  [[nodiscard]] line resolve(std::uint64_t address) const {
    line innermost;
    // A return address belongs to the instruction before it.
    for (const auto& place : information_.lines_at(address - 1)) {
      line found{fmt::format("{}:{}", place.file, place.line), is_users(place.file)};
      if (found.users) return found;
      if (innermost.text.empty()) innermost = std::move(found);
    }
    return innermost;
  }

  debug_information information_;
  std::unordered_map<std::uint64_t, line> known_;
};

// Reading debug information once is slow enough.
resolver& shared_resolver() {
  static resolver lines;
  return lines;
}

}  // namespace

std::string users_line(std::span<const std::uint64_t> stack) {
  auto& lines = shared_resolver();
  for (const auto address : stack)
    if (address != 0 && lines.at(address).users) return lines.at(address).text;
  return {};
}

void find_sources(trace& t) {
  auto& lines = shared_resolver();
  for (auto& e : t.events) {
    if (e.stack != 0 && e.stack <= t.stacks.size()) {
      for (const auto address : t.stacks[e.stack - 1]) {
        if (!lines.at(address).users) continue;
        e.site = address;
        break;
      }
    }
    if (e.site == 0 || t.sources.contains(e.site)) continue;
    if (const auto& found = lines.at(e.site); !found.text.empty()) t.sources[e.site] = found.text;
  }
}

}  // namespace forkloom::explore
