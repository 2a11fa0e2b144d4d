#include "framework/explore/debug_information.hpp"

#include <cxxabi.h>
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace forkloom::explore {
namespace {

// Read before main(): in a mount namespace of its own, a process within a chroot reads a path there
// that does not exist for it. For the same reason the modules are taken from the dynamic linker and
// not from /proc.
const std::string program = [] {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}();

int report_module(dl_phdr_info* module, std::size_t /*size*/, void* session) noexcept {
  const bool is_program = module->dlpi_name == nullptr || *module->dlpi_name == '\0';
  const char* path = is_program ? program.c_str() : module->dlpi_name;
  if (!is_program && is_systems(path)) return 0;
  // What has no file (the vDSO) has no lines either.
  dwfl_report_elf(static_cast<Dwfl*>(session), path, path, -1, module->dlpi_addr, true);
  return 0;
}

// The compilation unit that the address lies in. clang writes no table of address ranges, so all
// units are asked if need be.
Dwarf_Die* unit_at(Dwfl_Module* module, Dwarf_Addr address, Dwarf_Addr& bias) {
  if (auto* found = dwfl_module_addrdie(module, address, &bias); found != nullptr) return found;
  Dwarf_Die* unit = nullptr;
  while ((unit = dwfl_module_nextcu(module, unit, &bias)) != nullptr)
    if (dwarf_haspc(unit, address - bias) > 0) return unit;
  return nullptr;
}

std::optional<source_line> line_at(Dwarf_Die* unit, Dwarf_Addr address) {
  auto* entry = dwarf_getsrc_die(unit, address);
  const char* file = entry != nullptr ? dwarf_linesrc(entry, nullptr, nullptr) : nullptr;
  int line = 0;
  if (file == nullptr || dwarf_lineno(entry, &line) != 0) return std::nullopt;
  return source_line{file, static_cast<unsigned>(line)};
}

std::optional<std::size_t> number(Dwarf_Die* die, unsigned attribute) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  if (dwarf_formudata(dwarf_attr(die, attribute, &found), &value) != 0) return std::nullopt;
  return value;
}

// Where an inlined function is called.
std::optional<source_line> call_of(Dwarf_Die* unit, Dwarf_Die* inlined) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  const auto file = number(inlined, DW_AT_call_file);
  const auto line = number(inlined, DW_AT_call_line);
  if (!file || !line || dwarf_getsrcfiles(unit, &files, &count) != 0) return std::nullopt;
  const char* path = dwarf_filesrc(files, *file, nullptr, nullptr);
  if (path == nullptr) return std::nullopt;
  return source_line{path, static_cast<unsigned>(*line)};
}

bool covers(Dwarf_Die* die, Dwarf_Addr address) {
  switch (dwarf_tag(die)) {
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
      return dwarf_haspc(die, address) > 0;
    default:
      return false;
  }
}

enum class looking : std::uint8_t { into_what_covers, into_everything };

// Adds the functions that were inlined around the instruction, from the inside outwards; false if
// no function below has it. libdw's own search visits all that a unit declares, twice, and goes on
// from an inlined function to where that was defined.
bool add_inlined(Dwarf_Die* parent, Dwarf_Addr address, looking where,
                 std::vector<Dwarf_Die>& found) {
  Dwarf_Die child;
  if (dwarf_child(parent, &child) != 0) return false;
  do {
    const bool covered = covers(&child, address);
    if (!covered && where == looking::into_what_covers) continue;
    const bool below = add_inlined(&child, address, where, found);
    if (covered && dwarf_tag(&child) == DW_TAG_inlined_subroutine) found.push_back(child);
    if (covered || below) return true;
  } while (dwarf_siblingof(&child, &child) == 0);
  return false;
}

// Functions are children of their unit, with few exceptions: those of classes within functions.
std::vector<Dwarf_Die> inlined_around(Dwarf_Die* unit, Dwarf_Addr address) {
  std::vector<Dwarf_Die> found;
  if (!add_inlined(unit, address, looking::into_what_covers, found))
    add_inlined(unit, address, looking::into_everything, found);
  return found;
}

constexpr Dwfl_Callbacks callbacks{.find_elf = dwfl_build_id_find_elf,
                                   .find_debuginfo = dwfl_standard_find_debuginfo,
                                   .section_address = nullptr,
                                   .debuginfo_path = nullptr};

// "bank::pay(int)" without "(int)", but "(anonymous namespace)::pay" and "operator()" whole.
std::string without_parameters(std::string name) {
  for (auto at = name.find('('); at != std::string::npos; at = name.find('(', at + 1)) {
    const auto before = std::string_view(name).substr(0, at);
    if (before.empty() || before.ends_with("::") || before.ends_with("operator")) continue;
    name.resize(at);
    break;
  }
  return name;
}

}  // namespace

bool is_systems(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  constexpr std::array<std::string_view, 14> names{
      "libc.so",     "ld-linux",    "libstdc++.so",  "libgcc_s.so", "libasan.so",
      "libubsan.so", "libtsan.so",  "libpthread.so", "librt.so",    "libdl.so",
      "libm.so",     "linux-vdso.", "libforkloom_",  "libc++.so"};
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return path.starts_with(name); });
}

struct debug_information::session {
  std::unique_ptr<Dwfl, decltype(&dwfl_end)> modules{dwfl_begin(&callbacks), &dwfl_end};
};

debug_information::debug_information() : session_(std::make_unique<session>()) {
  auto* modules = session_->modules.get();
  if (modules == nullptr) return;
  dwfl_report_begin(modules);
  dl_iterate_phdr(report_module, modules);
  dwfl_report_end(modules, nullptr, nullptr);
}

debug_information::debug_information(const std::string& path)
    : session_(std::make_unique<session>()) {
  auto* modules = session_->modules.get();
  if (modules == nullptr) return;
  dwfl_report_begin(modules);
  dwfl_report_elf(modules, path.c_str(), path.c_str(), -1, 0, true);
  dwfl_report_end(modules, nullptr, nullptr);
}

debug_information::~debug_information() = default;

std::vector<source_line> debug_information::lines_at(std::uint64_t address) const {
  std::vector<source_line> lines;
  auto* modules = session_->modules.get();
  auto* module = modules != nullptr ? dwfl_addrmodule(modules, address) : nullptr;
  Dwarf_Addr bias = 0;
  auto* unit = module != nullptr ? unit_at(module, address, bias) : nullptr;
  if (unit == nullptr) return lines;
  if (auto line = line_at(unit, address - bias)) lines.push_back(std::move(*line));
  for (auto& inlined : inlined_around(unit, address - bias))
    if (auto line = call_of(unit, &inlined)) lines.push_back(std::move(*line));
  return lines;
}

std::string debug_information::function_at(std::uint64_t address) const {
  auto* modules = session_->modules.get();
  auto* module = modules != nullptr ? dwfl_addrmodule(modules, address) : nullptr;
  if (module == nullptr) return {};
  GElf_Off offset = 0;
  GElf_Sym symbol{};
  const char* name =
      dwfl_module_addrinfo(module, address, &offset, &symbol, nullptr, nullptr, nullptr);
  // Without all its symbols a file has only some, and the nearest may be another function.
  if (name == nullptr || offset >= symbol.st_size) return {};
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  return readable != nullptr ? without_parameters(readable.get()) : name;
}

}  // namespace forkloom::explore
