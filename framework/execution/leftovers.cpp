#include "framework/execution/leftovers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "framework/execution/arena.hpp"
#include "framework/execution/mappings.hpp"

namespace forkloom::execution {
namespace {

// The size of a folder. Those of tmpfs and of the message queues' file system grow with each entry.
long size_of_folder(int parent, const char* folder) {
  struct stat status {};
  return ::fstatat(parent, folder, &status, 0) == 0 ? static_cast<long>(status.st_size) : 0;
}

std::vector<std::string> names_in(int parent, const char* folder) {
  std::vector<std::string> names;
  const unique_fd fd(::openat(parent, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return names;
  alignas(dirent64) std::array<char, 4096> buffer;  // NOLINT: filled by getdents64
  for (;;) {
    const auto got = ::getdents64(fd.get(), buffer.data(), buffer.size());
    if (got <= 0) return names;
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);  // NOLINT
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
      at += entry->d_reclen;
    }
  }
}

// The file system of message queues. It need not be mounted anywhere for queues to exist, and on
// many systems is not, so it is mounted here without a place: fsopen(2), fsmount(2).
unique_fd mount_of_queues() noexcept {
  const unique_fd context(static_cast<int>(::syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC)));
  ::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
  return unique_fd(static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
}

// Are there any System V objects at all? Mostly not, and then /proc need not be read.
bool any_system_v_objects() {
  shm_info shm{};
  seminfo sem{};
  msginfo msg{};
  ::shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&shm));  // NOLINT: as shmctl(2) says
  ::semctl(0, 0, SEM_INFO, &sem);                            // NOLINT: semctl is variadic
  ::msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&msg));  // NOLINT: as msgctl(2) says
  return shm.used_ids != 0 || sem.semusz != 0 || msg.msgpool != 0;
}

// proc(5), sysvipc: a line of titles, then a line an object; the id is the second column.
std::vector<std::string> ids_in(const char* file) {
  std::vector<std::string> ids;
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  for (std::string key; in >> key && std::getline(in, line);) {
    const auto begin = line.find_first_not_of(' ');
    if (begin != std::string::npos)
      ids.push_back(line.substr(begin, line.find(' ', begin) - begin));
  }
  return ids;
}

// A named semaphore "/x" is the file sem.x.
std::string name_of_file(const std::string& file) {
  constexpr std::string_view prefix = "sem.";
  return "/" + (file.starts_with(prefix) ? file.substr(prefix.size()) : file);
}

// A file in /dev/shm that was made with open(), and is not the memory or semaphore of its name.
resource_id entry_called(const trace& t, const std::string& name) {
  for (std::size_t i = 0; i < t.resources.size(); ++i)
    if (t.resources[i].kind == resource_kind::directory_entry && t.resources[i].name == name)
      return resource_id(i);
  return no_resource;
}

// The resource that a System V object was in the execution. Its id is not in the trace, as it is
// another one in every run.
resource_id system_v_resource(const std::string& id, resource_kind kind) {
  const auto* a = current_arena();
  return a == nullptr ? no_resource
                      : a->resources.find(key_of_system_v(std::atoi(id.c_str()), kind));
}

leftover_record describe_system_v(const std::string& id, resource_kind kind, const trace& t) {
  const auto resource = system_v_resource(id, kind);
  return {resource == no_resource ? std::string(name(kind)) : t.resource_name(resource), resource};
}

resource_id resource_called(const trace& t, const std::string& name) {
  for (std::size_t i = 0; i < t.resources.size(); ++i)
    if (t.resources[i].name == name) return resource_id(i);
  return no_resource;
}

// FIFOs have no name space of their own: those made and not removed are found through the trace.
std::vector<std::pair<std::string, resource_id>> fifos_left(const trace& t) {
  std::vector<std::pair<std::string, resource_id>> found;
  for (const auto& e : t.events) {
    if (e.op != operation::mkfifo || e.error != 0 || e.how != outcome::completed) continue;
    const auto path = t.resource_name(e.resource);
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode))
      found.emplace_back(path, e.resource);
  }
  return found;
}

// Where the queues cannot be listed, those that the trace saw made are known. A name that can still
// be unlinked is that of a queue that came later, so nothing of somebody else's is removed.
std::set<resource_id> queues_made(const trace& t) {
  std::set<resource_id> made;
  for (const auto& e : t.events)
    if (e.op == operation::mq_open && e.error == 0 && e.before != 0) made.insert(e.resource);
  return made;
}

// Is that still the directory in which it was made, seen from this process?
bool same_place(const resource& entry) {
  std::filesystem::path path(entry.name.data());
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 &&
         object_of(status.st_dev, status.st_ino) == entry.key.object;
}

}  // namespace

std::vector<leftover_record> take_files_left(const arena& a) {
  std::vector<leftover_record> found;
  for (std::size_t i = 0; i < a.resources.size(); ++i) {
    const auto& r = a.resources[resource_id(i)];
    if (r.key.where != resource_key::space::entry || r.model[0] == 0 || !same_place(r)) continue;
    struct stat status {};
    const auto* path = r.name.data();
    if (::lstat(path, &status) != 0) continue;
    const bool folder = S_ISDIR(status.st_mode);
    const auto* sort = folder ? "directory" : S_ISSOCK(status.st_mode) ? "socket" : "file";
    if ((folder ? ::rmdir(path) : ::unlink(path)) != 0) continue;
    found.push_back({fmt::format("{} {}", sort, std::filesystem::path(path).filename().string()),
                     resource_id(i)});
  }
  return found;
}

leftovers::leftovers(bool only_known) : only_known_(only_known), queues_(mount_of_queues()) {}

std::set<leftovers::object> leftovers::list() const {
  std::set<object> all;
  const auto add = [&](object::type what, std::vector<std::string> names) {
    for (auto& name : names) all.insert({what, std::move(name)});
  };
  add(object::type::shared_memory_file, names_in(AT_FDCWD, "/dev/shm"));
  add(object::type::message_queue, names_in(queues_.get(), "."));
  if (!any_system_v_objects()) return all;
  add(object::type::shm, ids_in("/proc/sysvipc/shm"));
  add(object::type::sem, ids_in("/proc/sysvipc/sem"));
  add(object::type::msg, ids_in("/proc/sysvipc/msg"));
  return all;
}

void leftovers::remove(const object& o) {
  const auto id = std::atoi(o.name.c_str());
  switch (o.what) {
    case object::type::shared_memory_file:
      ::unlink(("/dev/shm/" + o.name).c_str());
      break;
    case object::type::message_queue:
      ::mq_unlink(("/" + o.name).c_str());
      break;
    case object::type::shm:
      ::shmctl(id, IPC_RMID, nullptr);
      break;
    case object::type::sem:
      ::semctl(id, 0, IPC_RMID);  // NOLINT: semctl is variadic
      break;
    case object::type::msg:
      ::msgctl(id, IPC_RMID, nullptr);
      break;
  }
}

leftover_record leftovers::describe(const object& o, const trace& t) {
  const auto name = name_of_file(o.name);
  switch (o.what) {
    case object::type::shared_memory_file:
      if (const auto entry = entry_called(t, o.name); entry != no_resource)
        return {"file " + o.name, entry};
      return {
          fmt::format("{} {}", o.name.starts_with("sem.") ? "semaphore" : "shared memory", name),
          resource_called(t, name)};
    case object::type::message_queue:
      return {fmt::format("message queue /{}", o.name), resource_called(t, "/" + o.name)};
    case object::type::shm:
      return describe_system_v(o.name, resource_kind::system_v_memory, t);
    case object::type::sem:
      return describe_system_v(o.name, resource_kind::system_v_semaphore, t);
    case object::type::msg:
      return describe_system_v(o.name, resource_kind::system_v_queue, t);
  }
  return {};
}

leftovers::fill leftovers::measure() const {
  return {size_of_folder(AT_FDCWD, "/dev/shm"), size_of_folder(queues_.get(), "."),
          any_system_v_objects()};
}

void leftovers::look_before() {
  before_ = list();
  fill_before_ = measure();
}

void leftovers::collect(trace& what_happened) {
  // Mostly nothing is left, and in name spaces of our own the sizes tell.
  const bool same = !only_known_ && before_.empty() && measure() == fill_before_;
  const auto after = same ? before_ : list();
  std::vector<object> added;
  std::set_difference(after.begin(), after.end(), before_.begin(), before_.end(),
                      std::back_inserter(added));
  auto& all = what_happened.leftovers;
  std::size_t names = 0;
  for (const auto& o : added) {
    auto found = describe(o, what_happened);
    if (only_known_ && found.resource == no_resource) continue;
    remove(o);
    all.push_back(std::move(found));
    if (o.what < object::type::shm) names = all.size();
  }
  // Names come first, in their order. That of the ids behind them differs from run to run.
  std::stable_sort(all.begin() + static_cast<std::ptrdiff_t>(names), all.end(),
                   [](const auto& a, const auto& b) { return a.resource < b.resource; });
  for (const auto resource : queues_made(what_happened)) {
    const auto name = what_happened.resource_name(resource);
    if (::mq_unlink(name.c_str()) == 0)
      what_happened.leftovers.push_back({fmt::format("message queue {}", name), resource});
  }
  for (auto& [path, resource] : fifos_left(what_happened)) {
    ::unlink(path.c_str());
    what_happened.leftovers.push_back({fmt::format("FIFO {}", path), resource});
  }
}

}  // namespace forkloom::execution
