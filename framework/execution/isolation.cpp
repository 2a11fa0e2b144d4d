#include "framework/execution/isolation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

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

bool mount_fresh(const char* type, const char* where) noexcept {
  return ::mount(type, where, type, MS_NOSUID | MS_NODEV, nullptr) == 0;
}

bool raise_loopback() noexcept {
  const unique_fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP;
  return socket && ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;  // NOLINT: ioctl is variadic
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
  if (::unshare(wanted) != 0 && !(become_root_of_own_user_namespace() && ::unshare(wanted) == 0))
    return world;
  world.private_names = world.private_processes = true;
  world.private_network = ::unshare(CLONE_NEWNET) == 0;
  return world;
}

void furnish_namespaces(isolation& world) noexcept {
  if (!world.private_names) return;
  // Nothing mounted here may reach the host.
  const bool apart = ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  world.private_names = apart && mount_fresh("tmpfs", "/dev/shm");
  // Not every system has /dev/mqueue; message queues are private by the IPC namespace alone.
  if (apart) mount_fresh("mqueue", "/dev/mqueue");
  // /proc must show the new process namespace: pids in there are not those of the host.
  world.private_processes = apart && mount_fresh("proc", "/proc") && ::getpid() == 1;
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
