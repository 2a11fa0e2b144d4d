#include "framework/trace/fault.hpp"

#include <algorithm>
#include <cerrno>
#include <span>

namespace forkloom {
namespace {

constexpr std::array<fault_description, fault_kind_count> descriptions{{
    {"kill", "any scheduling point, and any wait",
     "the process is killed (SIGKILL): locks stay held, messages half done"},
    {"stop", "any scheduling point",
     "the process is stopped (SIGSTOP) and goes on some time later: leases run out, others\n"
     "take over"},
    {"eintr", "a call that waits and may say EINTR",
     "a handler of a signal, one without SA_RESTART, has interrupted the wait"},
    {"partial", "bytes of stream sockets; of pipes, more than PIPE_BUF",
     "fewer bytes are written than were given, or read than are there"},
    {"eagain", "fork, new threads", "a limit on processes or threads is reached"},
    {"enospc", "calls that make a name or an object", "there is no room for another one"},
    {"emfile", "calls that make a descriptor", "the process has as many open as it may have"},
    {"enomem", "calls that need memory of the kernel", "there is none"},
    {"full", "writes to a pipe, stream socket or queue that is not empty",
     "there is no room: the call waits until something is taken out, or says EAGAIN"},
    {"wakeup", "waits for condition variables and futexes",
     "a spurious wake-up: the wait ends, and nobody has ended it"},
    {"timeout", "a wait with a time-out", "time has passed: it ends although others could go on"},
}};

constexpr auto eintr = only(fault_kind::eintr);
constexpr auto eagain = only(fault_kind::eagain);
constexpr auto enospc = only(fault_kind::enospc);
constexpr auto emfile = only(fault_kind::emfile);
constexpr auto enomem = only(fault_kind::enomem);

struct row {
  operation op;
  fault_set faults;
};

// From the pages of section 2 and 3 of the Linux manual that are called like the functions. Where
// an operation is several calls, it is what all of them may say.
constexpr row table[] = {
    // processes and threads
    {operation::fork, eagain | enomem},
    {operation::wait_child, eintr},
    {operation::thread_create, eagain},
    // POSIX semaphores
    {operation::sem_open, emfile | enomem},
    {operation::sem_wait, eintr},
    // descriptors, pipes, FIFOs
    {operation::pipe, emfile},
    {operation::mkfifo, enospc},
    {operation::open, eintr | enospc | emfile | enomem},
    {operation::read, eintr},
    {operation::write, eintr},
    {operation::dup, emfile},
    {operation::poll, eintr | enomem},
    {operation::select, eintr | enomem},
    {operation::epoll_create, emfile | enomem},
    {operation::epoll_control, enospc | enomem},
    {operation::epoll_wait, eintr},
    {operation::eventfd, emfile | enomem},
    {operation::timerfd, emfile | enomem},
    // shared memory and mappings
    {operation::shm_open, emfile | enospc},
    {operation::memfd, emfile | enomem},
    {operation::map, enomem},
    // names
    {operation::mkdir, enospc | enomem},
    {operation::link, enospc | enomem},
    {operation::rename, enospc | enomem},
    // message queues
    {operation::mq_open, enospc | emfile | enomem},
    {operation::mq_send, eintr},
    {operation::mq_receive, eintr},
    // System V
    {operation::shmget, enospc | enomem},
    {operation::shmat, enomem},
    {operation::semget, enospc | enomem},
    {operation::semop, eintr | enomem},
    {operation::msgget, enospc | enomem},
    {operation::msgsnd, eintr | enomem},
    {operation::msgrcv, eintr},
    // sockets
    {operation::socket, emfile | enomem},
    {operation::accept, eintr | emfile | enomem},
    {operation::connect, eintr},
    {operation::send, eintr | enomem},
    {operation::receive, eintr | enomem},
    // locks on files
    {operation::flock, eintr},
    {operation::record_lock, eintr},
    // time, signals, futexes
    {operation::sleep, eintr},
    {operation::signal_wait, eintr},
    {operation::futex_wait, eintr},
};

}  // namespace

const fault_description& description(fault_kind kind) noexcept {
  return descriptions[std::min(index(kind), fault_kind_count - 1)];
}

fault_set faults_of(operation op) noexcept {
  const std::span rows(table);
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const row& r) { return r.op == op; });
  return found == rows.end() ? 0 : found->faults;
}

int error_of(fault_kind kind) noexcept {
  switch (kind) {
    case fault_kind::eintr:
      return EINTR;
    case fault_kind::eagain:
      return EAGAIN;
    case fault_kind::enospc:
      return ENOSPC;
    case fault_kind::emfile:
      return EMFILE;
    case fault_kind::enomem:
      return ENOMEM;
    default:
      return 0;
  }
}

}  // namespace forkloom
