#include "framework/execution/program_environment.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

constexpr std::string_view preload = "LD_PRELOAD=";
constexpr std::string_view address = "FORKLOOM_TASK=";
constexpr std::size_t address_size_max = address.size() + 40 + 2 * 24;

struct census {
  std::size_t count = 0;
  const char* preload = nullptr;  // the value of the last LD_PRELOAD, which counts
  bool readable = true;
};

census take_census(char* const* own) noexcept {
  census found;
  if (own == nullptr) return found;
  if (!sys::has_text(own)) return {.readable = false};
  for (; own[found.count] != nullptr; ++found.count) {
    const char* entry = own[found.count];
    if (!sys::has_text(entry)) return {.readable = false};
    if (std::strncmp(entry, preload.data(), preload.size()) == 0)
      found.preload = entry + preload.size();
  }
  return found;
}

char* put(char* at, std::string_view text) noexcept {
  return std::copy(text.begin(), text.end(), at);
}

char* put_number(char* at, std::uint64_t value, int base) noexcept {
  return std::to_chars(at, at + 24, value, base).ptr;
}

std::uint64_t number(const arena& a) noexcept {
  return reinterpret_cast<std::uint64_t>(&a);  // NOLINT: an address as a number
}

// Removes the entry from the list.
void erase(char** entry) noexcept {
  for (; *entry != nullptr; ++entry) entry[0] = entry[1];
}

char** find(char** environment, std::string_view name) noexcept {
  for (char** entry = environment; *entry != nullptr; ++entry)
    if (std::string_view(*entry).starts_with(name)) return entry;
  return nullptr;
}

// Ours is the first library; it is not a name of the program's own.
void restore_preload(char** environment) noexcept {
  char** entry = find(environment, preload);
  if (entry == nullptr) return;
  char* value = *entry + preload.size();
  const char* own = std::strchr(value, ':');
  if (own == nullptr) return erase(entry);
  std::memmove(value, own + 1, std::strlen(own + 1) + 1);
}

}  // namespace

program_environment::program_environment(const arena& a, task_id task, char* const* own) noexcept
    : entries_(own) {
  const auto found = take_census(own);
  const std::string_view library(a.programs.library.data());
  const std::string_view own_preload = found.preload != nullptr ? found.preload : "";
  if (!found.readable || library.empty()) return;
  const auto list_size = (found.count + 3) * sizeof(char*);
  size_ = list_size + preload.size() + library.size() + own_preload.size() + 2 + address_size_max;
  const auto got = sys::call(SYS_mmap, 0, static_cast<long>(size_), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got < 0) return;
  memory_ = reinterpret_cast<void*>(got);  // NOLINT: an address from the kernel
  auto** list = static_cast<char**>(memory_);
  char* text = static_cast<char*>(memory_) + list_size;
  auto** next = list;
  *next++ = text;
  text = put(put(text, preload), library);
  if (!own_preload.empty()) text = put(put(text, ":"), own_preload);
  *text++ = '\0';
  *next++ = text;
  text = put(put(text, address), a.programs.memory_path.data());
  text = put_number(put(text, ":"), number(a), 16);
  text = put_number(put(text, ":"), index(task), 10);
  *text = '\0';
  for (std::size_t i = 0; i < found.count; ++i)
    if (std::strncmp(own[i], preload.data(), preload.size()) != 0) *next++ = own[i];
  *next = nullptr;
  entries_ = list;
}

program_environment::~program_environment() {
  if (memory_ != nullptr) sys::call(SYS_munmap, sys::address(memory_), static_cast<long>(size_));
}

std::optional<task_address> take_task_address(char** environment) noexcept {
  char** entry = find(environment, address);
  if (entry == nullptr) return std::nullopt;
  char* path = *entry + address.size();
  erase(entry);
  restore_preload(environment);
  char* first = std::strchr(path, ':');
  char* second = first != nullptr ? std::strchr(first + 1, ':') : nullptr;
  if (second == nullptr) return std::nullopt;
  *first = '\0';
  std::uint64_t arena = 0;
  std::uint32_t task = 0;
  const char* const end = second + std::strlen(second);
  if (std::from_chars(first + 1, second, arena, 16).ec != std::errc{} ||
      std::from_chars(second + 1, end, task, 10).ec != std::errc{})
    return std::nullopt;
  return task_address{path, arena, task_id(task)};
}

}  // namespace forkloom::execution
