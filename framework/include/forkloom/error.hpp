// Errors that Forkloom throws. Each message says what was wrong, where, and what to do.
#pragma once

#include <stdexcept>

namespace forkloom {

// The caller asked for something that cannot be: an unknown strategy, an option out of range, a
// token that does not fit. The command exits with 2.
class usage_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Forkloom could not do its work: no memory, no processes, a system call that failed. The command
// exits with 3.
class internal_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace forkloom
