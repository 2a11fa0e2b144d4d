#include "framework/intercept/sanitizer_runtime.hpp"

#include <link.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace forkloom::intercept {
namespace {

struct range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

// Shared runtimes that were there when the program started. A runtime that is linked statically
// cannot be told from the program.
struct runtimes {
  std::size_t count = 0;
  std::array<range, 4> ranges{};
};
constinit runtimes loaded;

bool is_runtime(std::string_view path) noexcept {
  constexpr std::array<std::string_view, 5> names{"/libasan.so", "/libubsan.so", "/libtsan.so",
                                                  "/liblsan.so", "/libclang_rt."};
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return path.find(name) != std::string_view::npos;
  });
}

int take_module(dl_phdr_info* module, std::size_t /*size*/, void* /*unused*/) noexcept {
  if (loaded.count == loaded.ranges.size() || !is_runtime(module->dlpi_name)) return 0;
  range whole{~std::uintptr_t{0}, 0};
  for (ElfW(Half) i = 0; i < module->dlpi_phnum; ++i) {
    const auto& part = module->dlpi_phdr[i];
    if (part.p_type != PT_LOAD) continue;
    const auto begin = module->dlpi_addr + part.p_vaddr;
    whole = {std::min(whole.begin, begin), std::max(whole.end, begin + part.p_memsz)};
  }
  loaded.ranges[loaded.count++] = whole;
  return 0;
}

[[gnu::constructor]] void find_runtimes() noexcept { dl_iterate_phdr(take_module, nullptr); }

bool in_runtime(std::uintptr_t address) noexcept {
  for (std::size_t i = 0; i < loaded.count; ++i)
    if (address - loaded.ranges[i].begin < loaded.ranges[i].end - loaded.ranges[i].begin)
      return true;
  return false;
}

// Looks for the frame that `site` lies in, and then at the one that called it.
struct walk {
  std::uintptr_t site;
  bool found = false;
  std::uintptr_t caller = 0;
};

_Unwind_Reason_Code visit(_Unwind_Context* context, void* data) noexcept {
  auto& w = *static_cast<walk*>(data);
  const auto address = _Unwind_GetIP(context);
  if (w.found) {
    w.caller = address;
    return _URC_END_OF_STACK;
  }
  w.found = address == w.site;
  return _URC_NO_REASON;
}

}  // namespace

bool in_sanitizer_runtime(const void* code) noexcept {
  return in_runtime(reinterpret_cast<std::uintptr_t>(code));  // NOLINT: an address as a number
}

bool sanitizers_own_call(const void* site) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(site);  // NOLINT: an address as a number
  if (!in_runtime(address)) return false;
  walk w{address};
  _Unwind_Backtrace(visit, &w);
  return in_runtime(w.caller);
}

}  // namespace forkloom::intercept
