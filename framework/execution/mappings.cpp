#include "framework/execution/mappings.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <span>

#include "framework/execution/sys.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::execution {

constinit std::uint32_t current_mappings_generation = 1;

namespace {

constexpr std::size_t mapping_capacity = 512;

struct table {
  bool known = false;
  std::size_t size = 0;
  std::array<mapping, mapping_capacity> entries{};  // ascending, as the kernel lists them
};

constinit table mappings;

std::uint64_t take_number(std::string_view& text, int base) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);  // the separator
  return value;
}

// A System V segment is listed under its key, "/SYSV" and eight digits, and always as deleted. No
// file can be taken for one unless it lay in the root directory and were deleted.
bool is_segment(std::string_view path) noexcept {
  constexpr std::string_view prefix = "/SYSV";
  constexpr std::string_view suffix = " (deleted)";
  return path.size() == prefix.size() + 8 + suffix.size() && path.starts_with(prefix) &&
         path.ends_with(suffix);
}

// Segments and anonymous memory lie on one device of the kernel's own, and their inode numbers are
// given independently of each other. So segments are told apart by a device that does not exist.
constexpr std::uint64_t segment_device = ~std::uint64_t{0};

// One line of proc(5)'s maps: "begin-end perms offset major:minor inode   path".
void take_line(std::string_view line) noexcept {
  mapping m;
  m.begin = take_number(line, 16);
  m.end = take_number(line, 16);
  if (line.size() < 5 || line[3] != 's' || mappings.size == mapping_capacity) return;
  line.remove_prefix(5);
  m.offset = take_number(line, 16);
  const auto major = take_number(line, 16);
  const auto minor = take_number(line, 16);
  const auto inode = take_number(line, 10);
  m.object =
      object_of(gnu_dev_makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor)), inode);
  const auto path = line.substr(std::min(line.find('/'), line.size()));
  if (is_segment(path)) {
    m.segment = static_cast<std::int64_t>(inode);
    m.object = object_of(segment_device, inode);
  } else if (const auto slash = line.rfind('/'); slash != std::string_view::npos) {
    line.remove_prefix(slash + 1);
    if (line != "zero (deleted)") {
      const auto length = std::min(line.size(), m.file.size() - 1);
      std::copy_n(line.begin(), length, m.file.begin());
    }
  }
  mappings.entries[mappings.size++] = m;
}

void read_table() noexcept {
  mappings.size = 0;
  mappings.known = true;
  const auto fd =
      sys::call(SYS_openat, AT_FDCWD, sys::address("/proc/self/maps"), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  std::array<char, 8192> buffer;  // NOLINT: filled by read
  std::size_t held = 0;
  for (;;) {
    const auto got = sys::call(SYS_read, fd, sys::address(buffer.data() + held),
                               static_cast<long>(buffer.size() - held));
    if (got <= 0) break;
    held += static_cast<std::size_t>(got);
    std::string_view text(buffer.data(), held);
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      take_line(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    std::copy(text.begin(), text.end(), buffer.begin());
    held = text.size();
  }
  sys::call(SYS_close, fd);
}

}  // namespace

const mapping* shared_mapping_at(std::uint64_t address) noexcept {
  if (!mappings.known) read_table();
  const std::span known(mappings.entries.data(), mappings.size);
  const auto after =
      std::upper_bound(known.begin(), known.end(), address,
                       [](std::uint64_t wanted, const mapping& m) { return wanted < m.begin; });
  if (after == known.begin()) return nullptr;
  const auto& candidate = *(after - 1);
  return address < candidate.end ? &candidate : nullptr;
}

std::uint64_t shared_bytes_from(const void* address) noexcept {
  const auto place = reinterpret_cast<std::uint64_t>(address);  // NOLINT: an address as a number
  const auto* m = shared_mapping_at(place);
  return m == nullptr ? 0 : m->end - place;
}

void forget_mappings() noexcept {
  mappings.known = false;
  ++current_mappings_generation;
}

std::uint64_t object_of(std::uint64_t device, std::uint64_t inode) noexcept {
  return strategy::mix(device) ^ inode;
}

}  // namespace forkloom::execution
