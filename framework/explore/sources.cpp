#include "framework/explore/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "framework/explore/debug_information.hpp"
#include "framework/trace/module_address.hpp"

namespace forkloom::explore {
namespace {

// How much a frame says of where the user's code made a call: the best of a stack stands for it,
// of equals the innermost.
enum class rank : std::uint8_t {
  none,     // nothing, or of those between programs and the kernel
  library,  // of a library without debug information
  program,  // likewise of a program
  users,    // a line that was written by the user, not by Forkloom or a library
};

struct line {
  std::string text;  // "file:line", "function in program"; empty if unknown
  rank is = rank::none;
};

// Headers that stand between the user's line and the operation: they are implementation to them.
bool is_users(std::string_view file) {
  return !file.starts_with("/usr/include/") && !file.starts_with("/usr/lib/") &&
         file.find("framework/include/forkloom/") == std::string_view::npos &&
         file.find("framework/intercept/") == std::string_view::npos &&
         file.find("framework/execution/") == std::string_view::npos &&
         file.find("framework/memory/") == std::string_view::npos &&
         file.find("framework/dsl/") == std::string_view::npos &&
         file.find("framework/explore/") == std::string_view::npos &&
         file.find("framework/programs/") == std::string_view::npos &&
         file.find("framework/cli/") == std::string_view::npos && file.find('/') != file.npos;
}

// Where the user's line is among those that were inlined at an address, looking outwards.
line users_or_innermost(const std::vector<source_line>& places) {
  line innermost;
  for (const auto& place : places) {
    line found{fmt::format("{}:{}", place.file, place.line),
               is_users(place.file) ? rank::users : rank::none};
    if (found.is == rank::users) return found;
    if (innermost.text.empty()) innermost = std::move(found);
  }
  return innermost;
}

// A program that a task executed, or a library of one.
class program_file {
 public:
  explicit program_file(const std::string& path)
      : name_(path.substr(path.rfind('/') + 1)), information_(path) {
    constexpr std::array<std::string_view, 4> folders{"/usr/lib/", "/lib/", "/lib64/",
                                                      "/usr/local/lib/"};
    const auto holds = [&](std::string_view folder) { return path.starts_with(folder); };
    if (is_systems(path))
      best_ = rank::none;
    else if (std::any_of(folders.begin(), folders.end(), holds))
      best_ = rank::library;
  }

  // A return address belongs to the instruction before it.
  [[nodiscard]] line at(std::uint64_t address) const {
    if (best_ == rank::none) return {};
    auto found = users_or_innermost(information_.lines_at(address - 1));
    if (!found.text.empty()) return found;
    const auto function = information_.function_at(address - 1);
    return {function.empty() ? fmt::format("{}+{:#x}", name_, address - 1)
                             : fmt::format("{} in {}", function, name_),
            best_};
  }

 private:
  std::string name_;
  debug_information information_;
  rank best_ = rank::program;  // of what has no lines
};

class resolver {
 public:
  line at(const trace& t, std::uint64_t address) {
    const auto place = unpack(address);
    if (!place) return at_own(address);
    if (place->module >= t.modules.size()) return {};
    const auto& path = t.modules[place->module];
    const auto [entry, is_new] = in_programs_.try_emplace({path, place->in_file});
    if (is_new) entry->second = files_.try_emplace(path, path).first->second.at(place->in_file);
    return entry->second;
  }

 private:
  const line& at_own(std::uint64_t address) {
    const auto [entry, is_new] = own_.try_emplace(address);
    if (is_new) entry->second = users_or_innermost(information_.lines_at(address - 1));
    return entry->second;
  }

  debug_information information_;
  std::unordered_map<std::uint64_t, line> own_;
  std::map<std::string, program_file> files_;
  std::map<std::pair<std::string, std::uint64_t>, line> in_programs_;
};

// Reading debug information once is slow enough.
resolver& shared_resolver() {
  static resolver lines;
  return lines;
}

struct frame {
  std::uint64_t address = 0;
  line best;
};

frame best_of(const trace& t, std::span<const std::uint64_t> stack) {
  frame best;
  for (const auto address : stack) {
    auto found = shared_resolver().at(t, address);
    if (found.is > best.best.is) best = {address, std::move(found)};
    if (best.best.is == rank::users) break;
  }
  return best;
}

}  // namespace

std::string users_line(const trace& t, std::span<const std::uint64_t> stack) {
  return best_of(t, stack).best.text;
}

void find_sources(trace& t) {
  for (auto& e : t.events) {
    if (e.stack != 0 && e.stack <= t.stacks.size())
      if (const auto best = best_of(t, t.stacks[e.stack - 1]); best.address != 0)
        e.site = best.address;
    if (e.site == 0 || t.sources.contains(e.site)) continue;
    if (auto found = shared_resolver().at(t, e.site); !found.text.empty())
      t.sources[e.site] = std::move(found.text);
  }
}

}  // namespace forkloom::explore
