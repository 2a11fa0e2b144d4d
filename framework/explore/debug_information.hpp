// Where in the sources an address of this process comes from, read from the debug information of
// the program and its shared libraries with libdw.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace forkloom::explore {

struct source_line {
  std::string file;
  unsigned line = 0;
};

class debug_information {
 public:
  debug_information();
  ~debug_information();

  // The line of the instruction there, then the lines where the functions that were inlined around
  // it are called, from the inside outwards. Empty if nothing is known.
  [[nodiscard]] std::vector<source_line> lines_at(std::uint64_t address) const;

 private:
  struct session;
  std::unique_ptr<session> session_;
};

}  // namespace forkloom::explore
