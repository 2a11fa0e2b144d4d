// Small programs of real processes whose happens-before classes can be counted by hand. Most are
// the benchmarks of papers on partial-order reduction, at a size at which they still can.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "forkloom/scenario.hpp"

namespace forkloom::bench {

struct class_program {
  std::string name;
  std::uint64_t classes = 0;  // counted by hand
  std::function<void(scenario&)> body;
};

[[nodiscard]] std::vector<class_program> class_programs();

}  // namespace forkloom::bench
