// Where in the sources an address comes from, read with libdw from the debug information of this
// process's program and its shared libraries, or of one file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace forkloom::explore {

struct source_line {
  std::string file;
  unsigned line = 0;
};

class debug_information {
 public:
  debug_information();  // of this process

  // Of a program or library; addresses are those that the file itself has. Knows nothing if the
  // file cannot be read.
  explicit debug_information(const std::string& path);
  ~debug_information();

  // The line of the instruction there, then the lines where the functions that were inlined around
  // it are called, from the inside outwards. Empty if nothing is known.
  [[nodiscard]] std::vector<source_line> lines_at(std::uint64_t address) const;

  // The function there, as it is declared in C, or without its parameters in C++. Needs no debug
  // information but the table of symbols. Empty if it is not known.
  [[nodiscard]] std::string function_at(std::uint64_t address) const;

 private:
  struct session;
  std::unique_ptr<session> session_;
};

// What stands between programs and the kernel has lines for those that debug it, which a program's
// author is not: they would be taken for the program's own.
[[nodiscard]] bool is_systems(std::string_view path);

}  // namespace forkloom::explore
