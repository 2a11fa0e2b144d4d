// Which program each process runs at an event, for programs that tasks executed: what turns
// addresses of those processes into addresses in files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

class images {
 public:
  explicit images(const arena& a) : arena_(a) {}

  // Goes on to that event, which must not be before the last one. What it says of a birth counts
  // only for the events after it.
  void go_on_to(std::uint32_t number);
  void note_birth(const event& e);

  // See module_address.hpp. Addresses of a task that runs the scenario's own program stay as they
  // are.
  [[nodiscard]] std::uint64_t in_file(task_id task, std::uint64_t address);

  // The files in the order of their first use.
  [[nodiscard]] std::vector<std::string> take_files() { return std::move(files_); }

 private:
  struct range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;  // one beyond
  };
  using program = std::vector<range>;  // what was loaded while it ran comes later

  [[nodiscard]] task_id process_of(task_id task) const { return arena_[task].process; }
  [[nodiscard]] const module_record* module_at(const program& image, std::uint64_t address) const;
  [[nodiscard]] std::size_t number_of(const module_record& module);

  const arena& arena_;
  std::uint32_t seen_ = 0;              // modules of images that have begun
  std::map<task_id, program> current_;  // but those that run the scenario's own program
  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> files_;
};

}  // namespace forkloom::execution
