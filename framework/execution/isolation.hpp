// A world of its own for a campaign's worker: private IPC, mount, network and process namespaces
// where the system allows it. See namespaces(7).
#pragma once

#include <string>

namespace forkloom::execution {

struct isolation {
  bool private_names = false;      // /dev/shm, /dev/mqueue and System V IPC are empty and ours
  bool private_processes = false;  // the worker is the init of its own process namespace
  bool private_network = false;    // its own loopback
  [[nodiscard]] std::string description() const;
};

// Step one, in the process that will fork the worker: leaves the old namespaces, as far as allowed.
// The next child is the first process of the new ones.
[[nodiscard]] isolation leave_namespaces() noexcept;

// Step two, in the worker: mounts fresh file systems and brings the loopback up. Takes back what
// could not be done.
void furnish_namespaces(isolation& world) noexcept;

// Makes pids the same in every execution, where the process namespace is private: the next process
// forked gets the lowest number again. Call between executions, when no process is left.
class pid_rewinder {
 public:
  explicit pid_rewinder(const isolation& world) noexcept;
  ~pid_rewinder();
  pid_rewinder(const pid_rewinder&) = delete;
  pid_rewinder& operator=(const pid_rewinder&) = delete;
  void rewind() const noexcept;

 private:
  int fd_ = -1;
};

}  // namespace forkloom::execution
