#include "framework/intercept/epoll_list.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <string_view>

#include "framework/execution/call.hpp"
#include "framework/execution/event_source.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::arena;
using execution::epoll_interest;
using execution::resource_key;

epoll_interest* find(const epoll_interest& wanted) noexcept {
  auto& a = *execution::current_arena();
  for (std::uint32_t i = 0; i < a.interest_count; ++i) {
    auto& one = a.interests[i];
    if (one.epoll == wanted.epoll && one.descriptor == wanted.descriptor &&
        one.target == wanted.target)
      return &one;
  }
  return nullptr;
}

// How many closes there had been when the list was compared last. The first word of an epoll's
// model is event_source.cpp's.
std::uint64_t& closes_seen(resource_id list) noexcept {
  return execution::current_arena()->resources[list].model[1];
}

// A line of proc(5)'s fdinfo for an epoll:
// "tfd:        5 events:       19 data:                5  pos:0 ino:1f3 sdev:f"
struct kernels_entry {
  int descriptor = -1;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;

  // False for a line about something else.
  bool read(std::string_view line) noexcept {
    if (!line.starts_with("tfd:")) return false;
    std::uint64_t number = 0;
    if (!behind(line, "tfd:", 10, number)) return false;
    descriptor = static_cast<int>(number);
    return behind(line, "ino:", 16, inode) && behind(line, "sdev:", 16, device);
  }

  // The kernel's own form of a device has twenty bits for the minor number; stat(2)'s has not.
  [[nodiscard]] std::uint64_t object() const noexcept {
    const auto major = device >> 20;
    const auto minor = device & 0xf'ffff;
    return execution::object_of((minor & 0xff) | major << 8 | (minor & ~std::uint64_t{0xff}) << 12,
                                inode);
  }

 private:
  static bool behind(std::string_view line, std::string_view title, int base,
                     std::uint64_t& number) noexcept {
    const auto at = line.find(title);
    if (at == std::string_view::npos) return false;
    line.remove_prefix(at + title.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return std::from_chars(line.data(), line.data() + line.size(), number, base).ec == std::errc{};
  }
};

// Event sources all have one inode, so of these it is the descriptor alone that counts.
bool is_about(const arena& a, const kernels_entry& entry, const epoll_interest& interest) noexcept {
  if (entry.descriptor != interest.descriptor) return false;
  if (interest.target == no_resource) return true;
  const auto& key = a.resources[interest.target].key;
  return key.where != resource_key::space::file || key.object == entry.object();
}

// Calls visit(entry) for each one that the kernel has. False if it does not say.
template <class Visit>
bool for_each_entry(int epoll, Visit visit) noexcept {
  std::array<char, 40> path{};
  constexpr std::string_view folder = "/proc/self/fdinfo/";
  auto* end = std::copy(folder.begin(), folder.end(), path.data());
  std::to_chars(end, path.data() + path.size() - 1, epoll);
  const auto fd = sys::call(SYS_openat, AT_FDCWD, sys::address(path.data()), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 2048> buffer;  // NOLINT: filled by read
  std::size_t held = 0;
  long got = 0;
  while ((got = sys::call(SYS_read, fd, sys::address(buffer.data() + held),
                          static_cast<long>(buffer.size() - held))) > 0) {
    held += static_cast<std::size_t>(got);
    std::string_view text(buffer.data(), held);
    for (auto line = text.find('\n'); line != std::string_view::npos; line = text.find('\n')) {
      kernels_entry entry;
      if (entry.read(text.substr(0, line))) visit(entry);
      text.remove_prefix(line + 1);
    }
    std::copy(text.begin(), text.end(), buffer.begin());
    held = text.size();
  }
  sys::call(SYS_close, fd);
  return got == 0;
}

}  // namespace

void note_interest(int epoll, const epoll_interest& what) noexcept {
  auto& a = *execution::current_arena();
  if (auto* known = find(what); known != nullptr) {
    *known = what;
    return;
  }
  if (a.interest_count == a.interests.size()) forget_closed_interests(epoll, what.epoll);
  if (a.interest_count == a.interests.size()) return execution::note_uncontrolled("epoll_ctl");
  a.interests[a.interest_count++] = what;
}

void forget_interest(const epoll_interest& what) noexcept {
  auto& a = *execution::current_arena();
  if (auto* known = find(what); known != nullptr) *known = a.interests[--a.interest_count];
}

void forget_closed_interests(int epoll, resource_id list) noexcept {
  auto& a = *execution::current_arena();
  if (list == no_resource) return;
  if (execution::sort_of(a.resources[list]) != execution::event_source::epoll) return;
  if (closes_seen(list) == a.close_count) return;
  std::bitset<execution::interest_capacity> there;
  const bool told = for_each_entry(epoll, [&](const kernels_entry& entry) {
    for (std::uint32_t i = 0; i < a.interest_count; ++i)
      if (a.interests[i].epoll == list && is_about(a, entry, a.interests[i])) there.set(i);
  });
  if (!told) return;
  closes_seen(list) = a.close_count;
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < a.interest_count; ++i)
    if (a.interests[i].epoll != list || there[i]) a.interests[kept++] = a.interests[i];
  a.interest_count = kept;
}

resource_id target_with(resource_id list, std::uint64_t data) noexcept {
  const auto& a = *execution::current_arena();
  for (std::uint32_t i = 0; i < a.interest_count; ++i)
    if (a.interests[i].epoll == list && a.interests[i].data == data) return a.interests[i].target;
  return no_resource;
}

}  // namespace forkloom::intercept
