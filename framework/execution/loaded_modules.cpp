#include "framework/execution/loaded_modules.hpp"

#include <fcntl.h>
#include <link.h>

#include <algorithm>
#include <bitset>
#include <string_view>
#include <tuple>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

// Which records are of this program; a fork copies it as it copies the program.
constinit std::bitset<std::tuple_size_v<decltype(re_entry::modules)>> own_records;
constinit bool notes_modules = false;
constinit unsigned long long loads_seen = 0;  // what the dynamic linker counts

// The linker maps several parts of a file before it counts the load, and makes calls meanwhile. If
// the count stays as it is for so many events, the code was no library's.
constexpr unsigned patience = 64;
constinit unsigned looks_left = 0;

struct taking {
  arena& a;
  task_id task;
  bool while_it_runs;
};

module_record describe(const dl_phdr_info& module) noexcept {
  module_record record;
  record.begin = ~std::uint64_t{0};
  record.bias = module.dlpi_addr;
  for (ElfW(Half) i = 0; i < module.dlpi_phnum; ++i) {
    const auto& part = module.dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    record.begin = std::min(record.begin, module.dlpi_addr + part.p_vaddr);
    record.end = std::max(record.end, module.dlpi_addr + part.p_vaddr + part.p_memsz);
  }
  const std::string_view name(module.dlpi_name);
  if (!name.empty())
    std::copy_n(name.begin(), std::min(name.size(), record.path.size() - 1), record.path.begin());
  else
    sys::call(SYS_readlinkat, AT_FDCWD, sys::address("/proc/self/exe"),
              sys::address(record.path.data()), static_cast<long>(record.path.size() - 1));
  return record;
}

bool is_known(const re_entry& programs, const module_record& module) noexcept {
  for (std::uint32_t i = 0; i < programs.module_count; ++i) {
    const auto& other = programs.modules[i];
    if (own_records[i] && other.begin == module.begin && other.end == module.end &&
        other.path == module.path)
      return true;
  }
  return false;
}

int take_module(dl_phdr_info* module, std::size_t /*size*/, void* data) noexcept {
  const auto& to = *static_cast<taking*>(data);
  auto& programs = to.a.programs;
  loads_seen = module->dlpi_adds;
  if (programs.module_count == programs.modules.size()) return 1;
  auto record = describe(*module);
  if (to.while_it_runs && is_known(programs, record)) return 0;
  record.task = to.task;
  record.since_event = to.a.log.event_count();
  record.was_loaded = to.while_it_runs;
  own_records.set(programs.module_count);
  programs.modules[programs.module_count++] = record;
  return 0;
}

int read_count(dl_phdr_info* module, std::size_t /*size*/, void* count) noexcept {
  *static_cast<unsigned long long*>(count) = module->dlpi_adds;
  return 1;  // the first one tells
}

}  // namespace

void note_modules(arena& a, task_id task) noexcept {
  notes_modules = true;
  taking what{a, task, false};
  ::dl_iterate_phdr(take_module, &what);
}

void code_was_mapped() noexcept {
  if (notes_modules) looks_left = patience;
}

void note_new_modules(arena& a, task_id task) noexcept {
  if (looks_left == 0) [[likely]]
    return;
  --looks_left;
  unsigned long long count = 0;
  ::dl_iterate_phdr(read_count, &count);
  if (count == loads_seen) return;
  looks_left = 0;
  taking what{a, task, true};
  ::dl_iterate_phdr(take_module, &what);
}

}  // namespace forkloom::execution
