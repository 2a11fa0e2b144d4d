#include "framework/execution/identity.hpp"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "framework/execution/call.hpp"
#include "framework/execution/event_source.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/execution/sys.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::execution {
namespace {

std::uint64_t number(const void* address) noexcept {
  return reinterpret_cast<std::uint64_t>(address);  // NOLINT: an address as a number
}

std::uint64_t hash(std::string_view text) noexcept {
  std::uint64_t h = text.size();
  for (const char c : text) h = strategy::mix(h ^ static_cast<unsigned char>(c));
  return h;
}

// Names a resource "base" or "base+offset".
void set_offset_name(arena& a, resource_id id, std::string_view base, std::uint64_t offset) {
  std::array<char, resource_name_size> text{};
  const auto length = std::min(base.size(), text.size() - 12);
  std::copy_n(base.begin(), length, text.begin());
  auto* end = text.data() + length;
  if (offset != 0) {
    *end++ = '+';
    end = std::to_chars(end, text.data() + text.size(), offset).ptr;
  }
  a.resources.set_name(id, {text.data(), static_cast<std::size_t>(end - text.data())});
}

// Names a resource "kind number", with the number as it is written in that base.
void set_numbered_name(arena& a, resource_id id, std::string_view base, std::uint32_t number,
                       int radix) noexcept {
  std::array<char, resource_name_size> text{};
  auto* end = std::copy(base.begin(), base.end(), text.begin());
  *end++ = ' ';
  if (radix == 16) end = std::copy_n("0x", 2, end);
  end = std::to_chars(end, text.data() + text.size(), number, radix).ptr;
  a.resources.set_name(id, {text.data(), static_cast<std::size_t>(end - text.data())});
}

std::uint32_t count_of(const resource_table& resources, resource_kind kind) noexcept {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < resources.size(); ++i)
    count += resources[resource_id(i)].kind == kind ? 1 : 0;
  return count;
}

// A resource that has just been made is called after the memory it lies in.
void name_by_place(arena& a, resource_id id, std::uint64_t address, const mapping* m) noexcept {
  for (std::uint32_t i = 0; i < a.named_range_count; ++i) {
    const auto& range = a.named_ranges[i];
    if (address - range.address < range.size)
      return set_offset_name(a, id, range.name.data(), address - range.address);
  }
  if (m == nullptr) return;
  if (m->segment >= 0) {
    const auto segment =
        system_v_object(static_cast<int>(m->segment), resource_kind::system_v_memory);
    return set_offset_name(a, id, a.resources[segment].name.data(), address - m->begin + m->offset);
  }
  if (m->file[0] != '\0') set_offset_name(a, id, m->file.data(), address - m->begin + m->offset);
}

// The address space of a task, as a number that is the same in every run: that of its process,
// which has a new one with each program that it executes.
std::uint64_t address_space_of(task_id task) noexcept {
  if (task == no_task) return index(no_task);
  const auto& a = *current_arena();
  const auto process = index(a[task].process);
  return static_cast<std::uint64_t>(a.details[process].image) << 16 | process;
}

// What this thread has looked up lately. An entry is of one task (a fork takes the cache along) and
// of one state of the mappings.
struct known_place {
  std::uint64_t place = 0;
  resource_id id = no_resource;
  std::uint32_t mappings = 0;
  task_id task = no_task;
};
[[gnu::tls_model("initial-exec")]] thread_local constinit std::array<known_place, 16> known_places;

known_place& cache_entry(std::uint64_t place) noexcept {
  return known_places[(place >> 3 ^ place >> 7) % known_places.size()];
}

resource_id find_place(std::uint64_t place, resource_kind kind) noexcept {
  auto& a = *current_arena();
  const auto* m = shared_mapping_at(place);
  const auto key =
      m != nullptr
          ? resource_key{resource_key::space::mapping, m->object, place - m->begin + m->offset}
          : resource_key{resource_key::space::private_memory, address_space_of(self()), place};
  const auto known = a.resources.size();
  const auto id = a.resources.find_or_add(key, kind);
  if (a.resources.size() != known) name_by_place(a, id, place, m);
  return id;
}

resource_key key_of_locks(int descriptor, resource_kind kind) noexcept {
  struct stat status {};
  if (sys::call(SYS_fstat, descriptor, sys::address(&status)) < 0) return {};
  return {resource_key::space::file, object_of(status.st_dev, status.st_ino),
          static_cast<std::uint64_t>(kind)};
}

// What the kernel calls the file that is open there; empty if it is not open.
class link_text {
 public:
  explicit link_text(int descriptor) noexcept {
    std::array<char, 32> link{};
    constexpr std::string_view folder = "/proc/self/fd/";
    auto* end = std::copy(folder.begin(), folder.end(), link.data());
    std::to_chars(end, link.data() + link.size() - 1, descriptor);
    const auto length = sys::call(SYS_readlinkat, AT_FDCWD, sys::address(link.data()),
                                  sys::address(text_.data()), static_cast<long>(text_.size()));
    if (length > 0) length_ = static_cast<std::size_t>(length);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), length_}; }

 private:
  std::size_t length_ = 0;
  std::array<char, PATH_MAX> text_;  // as far as length_
};

void name_after_file(resource_id id, int descriptor) noexcept {
  const link_text link(descriptor);
  auto file = link.view();
  if (file.empty()) return;
  file.remove_prefix(file.rfind('/') + 1);
  constexpr std::string_view gone = " (deleted)";
  if (file.ends_with(gone)) file.remove_suffix(gone.size());
  current_arena()->resources.set_name(id, file);
}

// The kernel judges whether the path may be read at all; until then it is not touched.
std::size_t path_length(const char* path) noexcept {
  if (sys::call(SYS_faccessat, AT_FDCWD, sys::address(path), F_OK) == -EFAULT) return 0;
  return ::strnlen(path, PATH_MAX);
}

struct named_place {
  int directory;
  const char* path;
};

// The place in a directory. adds: whether it becomes a resource if it is none, by the folder's
// mode.
template <class Adds>
resource_id entry(named_place where, Adds adds) noexcept {
  std::array<char, PATH_MAX> folder;  // NOLINT: written before it is read
  const auto length = path_length(where.path);
  if (length == 0 || length >= folder.size()) return no_resource;
  std::string_view whole(where.path, length);
  while (whole.size() > 1 && whole.back() == '/') whole.remove_suffix(1);
  const auto slash = whole.rfind('/');
  // "a/b" lies in "a/", "/b" in "/", "b" in ".".
  const auto above = slash == std::string_view::npos ? "." : whole.substr(0, slash + 1);
  std::copy(above.begin(), above.end(), folder.begin());
  folder[above.size()] = '\0';
  struct stat status {};
  if (sys::call(SYS_newfstatat, where.directory, sys::address(folder.data()), sys::address(&status),
                0) < 0)
    return no_resource;
  auto& resources = current_arena()->resources;
  const resource_key key{resource_key::space::entry, object_of(status.st_dev, status.st_ino),
                         hash(whole.substr(slash + 1))};
  const auto known = resources.find(key);
  if (known != no_resource || !adds(status.st_mode)) return known;
  const auto id = resources.find_or_add(key, resource_kind::directory_entry);
  resources.set_name(id, whole);
  return id;
}

}  // namespace

resource_id resource_at(const void* address, resource_kind kind) noexcept {
  const auto place = number(address);
  auto& entry = cache_entry(place);
  if (entry.place != place || entry.task != self() || entry.mappings != mappings_generation())
    entry = {place, find_place(place, kind), mappings_generation(), self()};
  return entry.id;
}

resource_id futex_at(const void* address, bool is_private) noexcept {
  auto& a = *current_arena();
  const auto place = number(address);
  const auto* m = shared_mapping_at(place);
  // In private memory the two sorts are different futexes, too; they are aligned, so a bit is free.
  const auto key =
      m != nullptr && !is_private
          ? resource_key{resource_key::space::futex, m->object, place - m->begin + m->offset}
          : resource_key{resource_key::space::private_futex, address_space_of(self()),
                         place | (is_private ? 0 : 1)};
  const auto known = a.resources.size();
  const auto id = a.resources.find_or_add(key, resource_kind::futex);
  if (a.resources.size() != known) name_by_place(a, id, place, m);
  return id;
}

bool is_message_queue(int descriptor) noexcept {
  constexpr long mqueue_magic = 0x1980'0202;  // statfs(2)
  struct statfs system {};
  struct stat status {};
  return sys::call(SYS_fstatfs, descriptor, sys::address(&system)) == 0 &&
         system.f_type == mqueue_magic &&
         sys::call(SYS_fstat, descriptor, sys::address(&status)) == 0 && S_ISREG(status.st_mode);
}

resource_id resource_of(int descriptor, resource_kind kind) noexcept {
  struct stat status {};
  if (sys::call(SYS_fstat, descriptor, sys::address(&status)) < 0) return no_resource;
  if (kind == resource_kind::file) {
    if ((status.st_mode & S_IFMT) == 0)
      if (const auto source = event_source_of(descriptor); source != no_resource) return source;
    if (S_ISFIFO(status.st_mode)) kind = resource_kind::pipe;
    if (S_ISSOCK(status.st_mode)) kind = resource_kind::socket;
    if (S_ISREG(status.st_mode) && is_message_queue(descriptor))
      kind = resource_kind::message_queue;
  }
  return current_arena()->resources.find_or_add(
      {resource_key::space::file, object_of(status.st_dev, status.st_ino), 0}, kind);
}

resource_id known_resource_of(int descriptor) noexcept {
  struct stat status {};
  if (sys::call(SYS_fstat, descriptor, sys::address(&status)) < 0) return no_resource;
  return current_arena()->resources.find(
      {resource_key::space::file, object_of(status.st_dev, status.st_ino), 0});
}

resource_id memory_behind(int descriptor) noexcept {
  const auto id = resource_of(descriptor, resource_kind::shared_memory);
  if (id != no_resource && current_arena()->resources[id].name[0] == '\0')
    name_after_file(id, descriptor);
  return id;
}

bool is_shared_memory(int descriptor) noexcept {
  const auto id = known_resource_of(descriptor);
  if (id != no_resource) return current_arena()->resources[id].kind == resource_kind::shared_memory;
  return link_text(descriptor).view().starts_with("/memfd:");
}

resource_id locks_of(int descriptor, resource_kind kind) noexcept {
  const auto key = key_of_locks(descriptor, kind);
  if (key.where == resource_key::space::none) return no_resource;
  auto& resources = current_arena()->resources;
  const auto known = resources.size();
  const auto id = resources.find_or_add(key, kind);
  if (resources.size() != known) name_after_file(id, descriptor);
  return id;
}

resource_id known_locks_of(int descriptor, resource_kind kind) noexcept {
  const auto key = key_of_locks(descriptor, kind);
  return key.where == resource_key::space::none ? no_resource
                                                : current_arena()->resources.find(key);
}

resource_id entry_of(int directory, const char* path) noexcept {
  return entry({directory, path}, [](mode_t) { return true; });
}

resource_id known_entry_of(int directory, const char* path) noexcept {
  return entry({directory, path}, [](mode_t) { return false; });
}

resource_id entry_looked_at(int directory, const char* path) noexcept {
  return entry({directory, path}, [](mode_t folder) { return (folder & S_IWOTH) != 0; });
}

resource_id resource_named(std::string_view name, resource_kind kind) noexcept {
  auto& resources = current_arena()->resources;
  const auto where =
      kind == resource_kind::logical ? resource_key::space::logical : resource_key::space::named;
  const auto known = resources.size();
  const auto id =
      resources.find_or_add({where, hash(name), static_cast<std::uint64_t>(kind)}, kind);
  if (resources.size() != known) resources.set_name(id, name);
  return id;
}

resource_id system_v_object(int id, resource_kind kind) noexcept {
  if (id < 0) return no_resource;
  auto& a = *current_arena();
  const auto known = a.resources.size();
  const auto found = a.resources.find_or_add(key_of_system_v(id, kind), kind);
  if (a.resources.size() != known)
    set_numbered_name(a, found, name(kind), count_of(a.resources, kind), 10);
  return found;
}

resource_id system_v_key(int key, resource_kind kind) noexcept {
  auto& a = *current_arena();
  const auto known = a.resources.size();
  const auto value = static_cast<std::uint32_t>(key);
  const auto found = a.resources.find_or_add(
      {resource_key::space::system_v_key, static_cast<std::uint64_t>(kind), value},
      resource_kind::system_v_key);
  constexpr std::uint32_t first_of_ftok = 1U << 24;
  if (a.resources.size() != known && value < first_of_ftok)
    set_numbered_name(a, found, name(resource_kind::system_v_key), value, 16);
  return found;
}

void name_memory(const void* address, std::size_t size, std::string_view name) noexcept {
  auto& a = *current_arena();
  if (a.named_range_count == named_range_capacity) return;
  auto& range = a.named_ranges[a.named_range_count++];
  range.address = number(address);
  range.size = size;
  const auto length = std::min(name.size(), range.name.size() - 1);
  std::copy_n(name.begin(), length, range.name.begin());
  range.name[length] = '\0';
}

void name_descriptor(int descriptor, resource_kind kind, std::string_view name) noexcept {
  if (const auto id = resource_of(descriptor, kind); id != no_resource)
    current_arena()->resources.set_name(id, name);
}

bool is_shared(const void* address) noexcept {
  return shared_mapping_at(number(address)) != nullptr;
}

}  // namespace forkloom::execution
