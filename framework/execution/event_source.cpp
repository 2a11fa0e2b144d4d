#include "framework/execution/event_source.hpp"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "framework/execution/call.hpp"
#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

// This process's descriptors of event sources: 1 + the resource, 0 for all others.
constinit std::array<std::uint16_t, 4096> known{};
static_assert(resource_capacity < 65'535);

bool fits(int descriptor) noexcept {
  return descriptor >= 0 && static_cast<std::size_t>(descriptor) < known.size();
}

void remember(int descriptor, resource_id source) noexcept {
  if (fits(descriptor))
    known[static_cast<std::size_t>(descriptor)] = static_cast<std::uint16_t>(index(source) + 1);
}

resource_id remembered(int descriptor) noexcept {
  if (!fits(descriptor)) return no_resource;
  const auto entry = known[static_cast<std::size_t>(descriptor)];
  return entry == 0 ? no_resource : resource_id(entry - 1);
}

// The fourth word of a source's model: its sort, the clock of a timerfd, and where it was made.
struct origin {
  event_source sort = event_source::none;
  std::uint8_t clock = 0;
  std::uint16_t descriptor = 0;
  pid_t process = 0;
};

origin origin_of(const resource& source) noexcept {
  const auto word = source.model[3];
  return {event_source(word & 0xff), static_cast<std::uint8_t>(word >> 8),
          static_cast<std::uint16_t>(word >> 16), static_cast<pid_t>(word >> 32)};
}

void set_origin(resource& source, const origin& o) noexcept {
  source.model[3] = static_cast<std::uint64_t>(o.sort) | std::uint64_t{o.clock} << 8 |
                    std::uint64_t{o.descriptor} << 16 |
                    static_cast<std::uint64_t>(static_cast<std::uint32_t>(o.process)) << 32;
}

// "/proc/self/<folder>/<descriptor>", with a zero behind it.
class proc_path {
 public:
  proc_path(std::string_view folder, int descriptor) noexcept {
    auto* end = std::copy(folder.begin(), folder.end(), text_.data());
    std::to_chars(end, text_.data() + text_.size() - 1, descriptor);
  }
  [[nodiscard]] const char* text() const noexcept { return text_.data(); }

 private:
  std::array<char, 40> text_{};
};

// A number in proc(5)'s fdinfo, behind that title; 0 if there is none.
std::uint64_t number_behind(int descriptor, std::string_view title) noexcept {
  const proc_path path("/proc/self/fdinfo/", descriptor);
  const auto fd = sys::call(SYS_openat, AT_FDCWD, sys::address(path.text()), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  std::array<char, 512> buffer;  // NOLINT: filled by read
  const auto got = sys::call(SYS_read, fd, sys::address(buffer.data()), buffer.size());
  sys::call(SYS_close, fd);
  std::string_view text(buffer.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
  const auto at = text.find(title);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + title.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

pid_t own_process() noexcept { return static_cast<pid_t>(sys::call(SYS_getpid)); }

bool same_open_file(const origin& o, int descriptor) noexcept {
  return o.process != 0 &&
         sys::call(SYS_kcmp, o.process, own_process(), KCMP_FILE, o.descriptor, descriptor) == 0;
}

// The youngest one of that sort for which that is true, as what tells them apart is given again.
template <class Is>
resource_id find_source(event_source sort, Is is) noexcept {
  auto& resources = current_arena()->resources;
  for (auto i = resources.size(); i-- > 0;)
    if (sort_of(resources[resource_id(i)]) == sort && is(resource_id(i))) return resource_id(i);
  return no_resource;
}

resource_id search_eventfd(int descriptor) noexcept {
  const auto number = number_behind(descriptor, "eventfd-id:");
  const auto found = number == 0 ? no_resource : find_source(event_source::eventfd, [&](auto id) {
    return eventfd_number(current_arena()->resources[id]) == number;
  });
  if (found != no_resource || number == 0) return found;
  return new_event_source(event_source::eventfd, descriptor);
}

resource_id search_timerfd(int descriptor) noexcept {
  const auto mark = number_behind(descriptor, "it_interval: (");
  return find_source(event_source::timerfd,
                     [&](auto id) { return static_cast<std::uint64_t>(timer_mark(id)) == mark; });
}

// How many messages have it on its way, as far as is known.
std::uint64_t& travelling(resource_id epoll) noexcept {
  return current_arena()->resources[epoll].model[0];
}

// Has nobody it open, but for a message?
bool is_on_its_way(resource_id epoll) noexcept {
  const auto o = origin_of(current_arena()->resources[epoll]);
  const bool somewhere = o.process != 0 && sys::call(SYS_kcmp, o.process, o.process, KCMP_FILE,
                                                     o.descriptor, o.descriptor) == 0;
  return travelling(epoll) > 0 && !somewhere;
}

resource_id only_one_on_its_way() noexcept {
  const auto found = find_source(event_source::epoll, is_on_its_way);
  const auto another =
      find_source(event_source::epoll, [&](auto id) { return id != found && is_on_its_way(id); });
  return another == no_resource ? found : no_resource;
}

resource_id search_by_comparison(event_source sort, int descriptor) noexcept {
  const auto& resources = current_arena()->resources;
  return find_source(sort,
                     [&](auto id) { return same_open_file(origin_of(resources[id]), descriptor); });
}

resource_id search_epoll(int descriptor) noexcept {
  const auto found = search_by_comparison(event_source::epoll, descriptor);
  return found != no_resource ? found : only_one_on_its_way();
}

resource_id search(event_source sort, int descriptor) noexcept {
  switch (sort) {
    case event_source::eventfd:
      return search_eventfd(descriptor);
    case event_source::timerfd:
      return search_timerfd(descriptor);
    case event_source::epoll:
      return search_epoll(descriptor);
    default:
      return search_by_comparison(sort, descriptor);
  }
}

// Where the source can be compared with, from now on.
void settle_at(resource_id id, int descriptor) noexcept {
  auto& r = current_arena()->resources[id];
  auto o = origin_of(r);
  o.process = descriptor < 0 ? 0 : own_process();
  o.descriptor = static_cast<std::uint16_t>(descriptor);
  set_origin(r, o);
}

// The descriptor is being closed: another one may be known.
void leave_origin(resource_id id, int descriptor) noexcept {
  const auto* a = current_arena();
  if (a == nullptr || index(id) >= a->resources.size()) return;
  const auto& r = a->resources[id];
  if (sort_of(r) == event_source::none) return;
  const auto o = origin_of(r);
  if (o.descriptor == descriptor && o.process == own_process()) settle_at(id, descriptor_of(id));
}

std::string_view name_of(event_source sort) noexcept {
  switch (sort) {
    case event_source::eventfd:
      return "eventfd ";
    case event_source::timerfd:
      return "timerfd ";
    case event_source::signalfd:
      return "signalfd ";
    default:
      return "epoll ";
  }
}

void name_new(resource_id id, event_source sort) noexcept {
  auto& resources = current_arena()->resources;
  unsigned count = 0;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const auto& r = resources[resource_id(i)];
    count += r.kind == resource_kind::event_source && origin_of(r).sort == sort ? 1 : 0;
  }
  std::array<char, 32> text{};
  const auto base = name_of(sort);
  auto* begin = std::copy(base.begin(), base.end(), text.data());
  const auto* end = std::to_chars(begin, text.data() + text.size(), count).ptr;
  resources.set_name(id, {text.data(), static_cast<std::size_t>(end - text.data())});
}

}  // namespace

event_source sort_of(int descriptor) noexcept {
  struct stat status {};
  // These inodes have no type.
  if (sys::call(SYS_fstat, descriptor, sys::address(&status)) < 0 || (status.st_mode & S_IFMT) != 0)
    return event_source::none;
  const proc_path path("/proc/self/fd/", descriptor);
  std::array<char, 64> link;  // NOLINT: written before it is read
  const auto length = sys::call(SYS_readlinkat, AT_FDCWD, sys::address(path.text()),
                                sys::address(link.data()), link.size());
  const std::string_view target(link.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
  if (target == "anon_inode:[eventfd]") return event_source::eventfd;
  if (target == "anon_inode:[timerfd]") return event_source::timerfd;
  if (target == "anon_inode:[eventpoll]") return event_source::epoll;
  if (target == "anon_inode:[pidfd]") return event_source::pidfd;
  if (target == "anon_inode:[signalfd]") return event_source::signalfd;
  return event_source::none;
}

resource_id event_source_of(int descriptor) noexcept {
  const auto sort = sort_of(descriptor);
  if (sort == event_source::none || sort == event_source::pidfd) return no_resource;
  const auto id = remembered(descriptor);
  if (id != no_resource && sort_of(current_arena()->resources[id]) == sort) return id;
  const auto found = search(sort, descriptor);
  if (found == no_resource) return found;
  remember(descriptor, found);
  if (sort == event_source::epoll) {
    settle_at(found, descriptor);
    if (travelling(found) > 0) --travelling(found);
  }
  return found;
}

resource_id known_event_source(int descriptor) noexcept { return remembered(descriptor); }

resource_id new_event_source(event_source sort, int descriptor) noexcept {
  auto& resources = current_arena()->resources;
  const auto id = resources.find_or_add({resource_key::space::event_source, resources.size(), 0},
                                        resource_kind::event_source);
  auto& r = resources[id];
  set_origin(r, {.sort = sort,
                 .clock = 0,
                 .descriptor = static_cast<std::uint16_t>(descriptor),
                 .process = own_process()});
  if (sort == event_source::eventfd) eventfd_number(r) = number_behind(descriptor, "eventfd-id:");
  name_new(id, sort);
  remember(descriptor, id);
  return id;
}

pid_t process_behind(int descriptor) noexcept {
  return static_cast<pid_t>(number_behind(descriptor, "\nPid:"));
}

void copy_event_source(int from, int to) noexcept {
  const auto id = remembered(from);
  if (from != to) forget_event_source(to);
  if (id != no_resource) remember(to, id);
}

void forget_event_source(int descriptor) noexcept {
  const auto id = remembered(descriptor);
  if (id == no_resource) return;
  known[static_cast<std::size_t>(descriptor)] = 0;
  leave_origin(id, descriptor);
}

void event_source_travels(int descriptor) noexcept {
  if (sort_of(descriptor) != event_source::epoll) return;
  if (const auto id = event_source_of(descriptor); id != no_resource) ++travelling(id);
}

void forget_event_sources() noexcept {
  for (auto& entry : known)
    if (entry != 0) entry = 0;
}

int descriptor_of(resource_id source) noexcept {
  for (std::size_t i = 0; i < known.size(); ++i)
    if (known[i] == index(source) + 1) return static_cast<int>(i);
  return -1;
}

event_source sort_of(const resource& source) noexcept {
  return source.kind == resource_kind::event_source ? origin_of(source).sort : event_source::none;
}

clockid_t clock_of(const resource& source) noexcept { return origin_of(source).clock; }

void set_clock(resource& source, clockid_t clock) noexcept {
  auto o = origin_of(source);
  o.clock = static_cast<std::uint8_t>(clock);
  set_origin(source, o);
}

}  // namespace forkloom::execution
