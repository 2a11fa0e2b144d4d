#include "framework/execution/isolation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "framework/execution/sys.hpp"
#include "framework/execution/unique_fd.hpp"

namespace forkloom::execution {
namespace {

constexpr int wanted = CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWPID;

// A process without privileges may still own a user namespace and be root in there.
bool become_root_of_own_user_namespace() noexcept {
  const auto uid = ::geteuid();
  const auto gid = ::getegid();
  if (::unshare(CLONE_NEWUSER) != 0) return false;
  const auto put = [](const char* path, const std::string& text) {
    const unique_fd fd(::open(path, O_WRONLY | O_CLOEXEC));
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  };
  put("/proc/self/setgroups", "deny");
  return put("/proc/self/uid_map", fmt::format("0 {} 1", uid)) &&
         put("/proc/self/gid_map", fmt::format("0 {} 1", gid));
}

bool make_private(const char* where) noexcept {
  return ::mount(nullptr, where, nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// Mounts a fresh file system there, so that nothing of it reaches the host. Within a chroot "/" is
// no mount point; then the place must be one itself.
bool mount_fresh(const char* type, const char* where, bool apart) noexcept {
  return (apart || make_private(where)) &&
         ::mount(type, where, type, MS_NOSUID | MS_NODEV, nullptr) == 0;
}

bool raise_loopback() noexcept {
  const unique_fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP;
  return socket && ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;  // NOLINT: ioctl is variadic
}

bool enter_namespaces() noexcept {
  return ::unshare(wanted) == 0 || (become_root_of_own_user_namespace() && ::unshare(wanted) == 0);
}

bool ended_well(long child) noexcept {
  int status = 0;
  while (::waitpid(static_cast<pid_t>(child), &status, 0) < 0 && errno == EINTR) continue;
  return status == 0;
}

// Many a container lets a process enter namespaces and not mount in them, and a process namespace
// under the old /proc is worse than none. There is no way back, so a process that is thrown away
// tries first. Its forks are the system call itself: nothing but system calls follows.
bool works_in_a_trial() noexcept {
  const auto trial = sys::call(SYS_fork);
  if (trial < 0) return false;
  if (trial > 0) return ended_well(trial);
  if (!enter_namespaces()) ::_exit(1);
  const auto first = sys::call(SYS_fork);
  if (first > 0) ::_exit(ended_well(first) ? 0 : 1);
  isolation world{.private_names = true, .private_processes = true, .private_network = false};
  if (first == 0) furnish_namespaces(world);
  ::_exit(first == 0 && world.private_names && world.private_processes ? 0 : 1);
}

}  // namespace

std::string isolation::description() const {
  if (!private_names) return "tracked names";
  std::string text = "private namespaces (ipc, mount";
  if (private_processes) text += ", pid";
  if (private_network) text += ", network";
  return text + ")";
}

isolation leave_namespaces() noexcept {
  isolation world;
  if (!works_in_a_trial() || !enter_namespaces()) return world;
  world.private_names = world.private_processes = true;
  world.private_network = ::unshare(CLONE_NEWNET) == 0;
  return world;
}

void furnish_namespaces(isolation& world) noexcept {
  if (!world.private_names) return;
  const bool apart = make_private("/");
  world.private_names = mount_fresh("tmpfs", "/dev/shm", apart);
  // Not every system has /dev/mqueue; message queues are private by the IPC namespace alone.
  mount_fresh("mqueue", "/dev/mqueue", apart);
  // /proc must show the new process namespace: pids in there are not those of the host.
  world.private_processes = mount_fresh("proc", "/proc", apart) && ::getpid() == 1;
  if (world.private_network) world.private_network = raise_loopback();
}

pid_rewinder::pid_rewinder(const isolation& world) noexcept {
  if (world.private_processes) fd_ = ::open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
}

pid_rewinder::~pid_rewinder() {
  if (fd_ >= 0) ::close(fd_);
}

void pid_rewinder::rewind() const noexcept {
  constexpr std::string_view last = "100";
  if (fd_ >= 0) static_cast<void>(::pwrite(fd_, last.data(), last.size(), 0) == 0);
}

}  // namespace forkloom::execution
