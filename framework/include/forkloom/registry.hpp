// The scenarios of this binary. Thread-safety: registration happens before main(); reading is safe
// from anywhere afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "forkloom/options.hpp"

namespace forkloom {

class scenario;
struct trace;

struct scenario_info {
  std::string name;
  std::vector<std::string> tags;  // without brackets
  std::string file;               // as the compiler names it
  unsigned line = 0;              // 0: it was made at run time, and stands in no file
  std::function<void(scenario&)> body;
  std::function<void(trace&)> examine{};  // looks at what each execution was, before the checkers
  options defaults;
};

// All registered scenarios, ordered by file and line.
[[nodiscard]] const std::vector<const scenario_info*>& scenarios();

// The scenario with that very name; null if there is none.
[[nodiscard]] const scenario_info* find_scenario(std::string_view name);

// What FORKLOOM_SCENARIO makes. Two scenarios of one name end the program before main(), with both
// places on stderr and exit code 2.
class registration {
 public:
  // tags: "[bank][lost-update]", as Catch2 writes them.
  registration(std::string_view name, std::string_view tags, std::string_view file, unsigned line,
               void (*body)(scenario&), options defaults);
};

}  // namespace forkloom
