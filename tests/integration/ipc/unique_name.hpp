// A name for a file or an object that nobody else on the machine uses.
#pragma once

#include <unistd.h>

#include <string>

namespace forkloom::tests {

[[nodiscard]] inline std::string unique_name() {
  static int count = 0;
  return "forkloom-ipc-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace forkloom::tests
