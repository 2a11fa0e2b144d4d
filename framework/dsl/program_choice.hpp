// Which generated program an execution runs: written "7" for number 7, and "7.3.0" for what
// rapidcheck makes of it by its fourth shrink, and of that by its first.
#pragma once

#include <string>

namespace forkloom::detail {

struct program_choice {
  std::string wanted;    // "": the execution's seed decides
  std::string ran;       // by the last execution; "": the scenario makes no programs
  bool missing = false;  // there is none of the wanted name, so nothing ran
};

}  // namespace forkloom::detail
