// Which function a system call's number stands for. Most take the same arguments in the same order,
// and are found by name: families that intercept more of them need no change here. Where libc's
// function differs from the kernel's, the difference is written out.
// Async-signal-safe, where those functions are.
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>

#include "framework/execution/call.hpp"
#include "framework/intercept/pidfd.hpp"
#include "framework/intercept/raw.hpp"
#include "framework/intercept/raw_arguments.hpp"
#include "framework/intercept/user_memory.hpp"

namespace forkloom::intercept {
namespace {

long nowhere_answered(const char* name, const system_call& call) noexcept {
  execution::note_uncontrolled(name, call.site);
  return execution::perform(call);
}

long clock_nanosleep(const system_call& call) noexcept {
  const arguments a{call};
  return -::clock_nanosleep(a.get(0), a.get(1), a.get<timespec*>(2), a.get<timespec*>(3));
}

// A process of its own, made as fork() or vfork() do. Others are not under control.
long clone(const system_call& call) noexcept {
  constexpr std::uint64_t as_vfork = CLONE_VM | CLONE_VFORK;
  const auto flags = static_cast<std::uint64_t>(call.arguments[0]);
  if (call.arguments[1] == 0 && (flags & ~as_vfork) == SIGCHLD) return kernels(::fork());
  return nowhere_answered("clone", call);
}

long eventfd(const system_call& call) noexcept {
  return kernels(::eventfd(arguments{call}.get<unsigned>(0), 0));
}

long exit_group(const system_call& call) noexcept { ::_exit(arguments{call}.get(0)); }

// The kernel's has no flags.
long faccessat(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::faccessat(a.get(0), a.get<const char*>(1), a.get(2), 0));
}

long fcntl(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::fcntl(a.get(0), a.get(1), a.get<void*>(2)));
}

long ioctl(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::ioctl(a.get(0), a.get<unsigned long>(1), a.get<void*>(2)));
}

long fork(const system_call& /*call*/) noexcept { return kernels(::fork()); }

// The kernel's names of message queues have no slash.
class slashed {
 public:
  explicit slashed(const char* name) noexcept {
    text_[0] = '/';
    const auto length = ::strnlen(name, text_.size() - 2);
    std::copy_n(name, length, text_.begin() + 1);
  }
  [[nodiscard]] const char* get() const noexcept { return text_.data(); }

 private:
  std::array<char, NAME_MAX + 3> text_{};
};

long mq_open(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::mq_open(slashed(a.get<const char*>(0)).get(), a.get(1), a.get<mode_t>(2),
                           a.get<mq_attr*>(3)));
}

// What the kernel does for SIGEV_THREAD is libc's affair: it writes into a socket.
long mq_notify(const system_call& call) noexcept {
  sigevent how{};
  if (call.arguments[1] != 0 && !copy_from_user(&how, call.arguments[1], sizeof how))
    return -EFAULT;
  if (how.sigev_notify == SIGEV_THREAD) return nowhere_answered("mq_notify", call);
  return same<&::mq_notify>(call);
}

long mq_unlink(const system_call& call) noexcept {
  return kernels(::mq_unlink(slashed(arguments{call}.get<const char*>(0)).get()));
}

long mq_getsetattr(const system_call& call) noexcept {
  const arguments a{call};
  if (call.arguments[1] == 0) return kernels(::mq_getattr(a.get(0), a.get<mq_attr*>(2)));
  return kernels(::mq_setattr(a.get(0), a.get<mq_attr*>(1), a.get<mq_attr*>(2)));
}

long mq_timedreceive(const system_call& call) noexcept {
  const arguments a{call};
  if (call.arguments[4] == 0)
    return kernels(
        ::mq_receive(a.get(0), a.get<char*>(1), a.get<std::size_t>(2), a.get<unsigned*>(3)));
  return same<&::mq_timedreceive>(call);
}

long mq_timedsend(const system_call& call) noexcept {
  const arguments a{call};
  if (call.arguments[4] == 0)
    return kernels(::mq_send(a.get(0), a.get<char*>(1), a.get<std::size_t>(2), a.get<unsigned>(3)));
  return same<&::mq_timedsend>(call);
}

// A FIFO; devices and plain files are nobody's affair.
long mknod(const system_call& call) noexcept {
  const arguments a{call};
  if (!S_ISFIFO(a.get<mode_t>(1))) return execution::perform(call);
  return kernels(::mkfifo(a.get<const char*>(0), a.get<mode_t>(1) & ~S_IFMT));
}

long mknodat(const system_call& call) noexcept {
  const arguments a{call};
  if (!S_ISFIFO(a.get<mode_t>(2))) return execution::perform(call);
  return kernels(::mkfifoat(a.get(0), a.get<const char*>(1), a.get<mode_t>(2) & ~S_IFMT));
}

long open(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::open(a.get<const char*>(0), a.get(1), a.get<mode_t>(2)));
}

long openat(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::openat(a.get(0), a.get<const char*>(1), a.get(2), a.get<mode_t>(3)));
}

// Without the rules for resolving a path that openat(2) does not know.
long openat2(const system_call& call) noexcept {
  const arguments a{call};
  open_how how{};
  if (a.get<std::size_t>(3) != sizeof how || !copy_from_user(&how, call.arguments[2], sizeof how) ||
      how.resolve != 0 || how.flags > INT_MAX || how.mode > 07777)
    return execution::perform(call);
  return kernels(::openat(a.get(0), a.get<const char*>(1), static_cast<int>(how.flags),
                          static_cast<mode_t>(how.mode)));
}

// The place is two arguments for the kernel, of which a long one needs the first.
long preadv2(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::preadv2(a.get(0), a.get<iovec*>(1), a.get(2), a.get<off_t>(3), a.get(5)));
}

long pwritev2(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::pwritev2(a.get(0), a.get<iovec*>(1), a.get(2), a.get<off_t>(3), a.get(5)));
}

// The last argument of pselect6(2) is the address of a set and its size.
long pselect(const system_call& call) noexcept {
  const arguments a{call};
  std::array<long, 2> mask{};
  if (call.arguments[5] != 0 && !copy_from_user(mask.data(), call.arguments[5], sizeof mask))
    return -EFAULT;
  const signals_at set(mask[0]);
  if (set.fault()) return -EFAULT;
  return kernels(::pselect(a.get(0), a.get<fd_set*>(1), a.get<fd_set*>(2), a.get<fd_set*>(3),
                           a.get<timespec*>(4), mask[0] != 0 ? set.get() : nullptr));
}

long ppoll(const system_call& call) noexcept {
  const arguments a{call};
  const signals_at set(call.arguments[3]);
  if (set.fault()) return -EFAULT;
  return kernels(::ppoll(a.get<pollfd*>(0), a.get<nfds_t>(1), a.get<timespec*>(2),
                         call.arguments[3] != 0 ? set.get() : nullptr));
}

long epoll_pwait(const system_call& call) noexcept {
  const arguments a{call};
  const signals_at set(call.arguments[4]);
  if (set.fault()) return -EFAULT;
  return kernels(::epoll_pwait(a.get(0), a.get<epoll_event*>(1), a.get(2), a.get(3),
                               call.arguments[4] != 0 ? set.get() : nullptr));
}

long semctl(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::semctl(a.get(0), a.get(1), a.get(2), a.get<void*>(3)));
}

// The kernel wants to be told how long its set of signals is.
long signalfd(const system_call& call) noexcept {
  const arguments a{call};
  const signals_at set(call.arguments[1]);
  if (a.get<std::size_t>(2) != sizeof(std::uint64_t)) return -EINVAL;
  if (set.fault() || call.arguments[1] == 0) return -EFAULT;
  return kernels(::signalfd(a.get(0), set.get(), call.number == SYS_signalfd4 ? a.get(3) : 0));
}

long sigsuspend(const system_call& call) noexcept {
  const signals_at set(call.arguments[0]);
  return set.fault() ? -EFAULT : kernels(::sigsuspend(set.get()));
}

long sigtimedwait(const system_call& call) noexcept {
  const arguments a{call};
  const signals_at set(call.arguments[0]);
  if (set.fault()) return -EFAULT;
  if (call.arguments[2] == 0) return kernels(::sigwaitinfo(set.get(), a.get<siginfo_t*>(1)));
  return kernels(::sigtimedwait(set.get(), a.get<siginfo_t*>(1), a.get<timespec*>(2)));
}

// Of the thread that is the process.
long tkill(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::tgkill(::getpid(), a.get(0), a.get(1)));
}

// What resources the child used, no family tells: the answer says nothing of it.
long waitid(const system_call& call) noexcept {
  const arguments a{call};
  return kernels(::waitid(a.get<idtype_t>(0), a.get<id_t>(1), a.get<siginfo_t*>(2), a.get(3)));
}

struct row {
  long number;
  answer answered_by;
};

constexpr std::array rows{
    // descriptors, pipes, files
    row{SYS_read, same<&::read>},
    row{SYS_write, same<&::write>},
    row{SYS_readv, same<&::readv>},
    row{SYS_writev, same<&::writev>},
    row{SYS_preadv2, preadv2},
    row{SYS_pwritev2, pwritev2},
    row{SYS_open, open},
    row{SYS_openat, openat},
    row{SYS_openat2, openat2},
    row{SYS_creat, same<&::creat>},
    row{SYS_close, same<&::close>},
    row{SYS_close_range, same<&::close_range>},
    row{SYS_dup, same<&::dup>},
    row{SYS_dup2, same<&::dup2>},
    row{SYS_dup3, same<&::dup3>},
    row{SYS_pipe, same<&::pipe>},
    row{SYS_pipe2, same<&::pipe2>},
    row{SYS_fcntl, fcntl},
    row{SYS_flock, same<&::flock>},
    row{SYS_ioctl, ioctl},
    row{SYS_splice, same<&::splice>},
    row{SYS_tee, same<&::tee>},
    row{SYS_vmsplice, same<&::vmsplice>},
    row{SYS_ftruncate, same<&::ftruncate>},
    row{SYS_truncate, same<&::truncate>},
    row{SYS_fallocate, same<&::fallocate>},
    row{SYS_memfd_create, same<&::memfd_create>},
    row{SYS_sendfile, same<&::sendfile>},
    // names
    row{SYS_mknod, mknod},
    row{SYS_mknodat, mknodat},
    row{SYS_link, same<&::link>},
    row{SYS_linkat, same<&::linkat>},
    row{SYS_symlink, same<&::symlink>},
    row{SYS_symlinkat, same<&::symlinkat>},
    row{SYS_rename, same<&::rename>},
    row{SYS_renameat, same<&::renameat>},
    row{SYS_renameat2, same<&::renameat2>},
    row{SYS_mkdir, same<&::mkdir>},
    row{SYS_mkdirat, same<&::mkdirat>},
    row{SYS_rmdir, same<&::rmdir>},
    row{SYS_unlink, same<&::unlink>},
    row{SYS_unlinkat, same<&::unlinkat>},
    row{SYS_access, same<&::access>},
    row{SYS_faccessat, faccessat},
    row{SYS_faccessat2, same<&::faccessat>},
    row{SYS_stat, same<&::stat>},
    row{SYS_lstat, same<&::lstat>},
    row{SYS_newfstatat, same<&::fstatat>},
    row{SYS_statx, same<&::statx>},
    // waiting for many
    row{SYS_poll, same<&::poll>},
    row{SYS_ppoll, ppoll},
    row{SYS_select, same<&::select>},
    row{SYS_pselect6, pselect},
    row{SYS_epoll_create, same<&::epoll_create>},
    row{SYS_epoll_create1, same<&::epoll_create1>},
    row{SYS_epoll_ctl, same<&::epoll_ctl>},
    row{SYS_epoll_wait, same<&::epoll_wait>},
    row{SYS_epoll_pwait, epoll_pwait},
    row{SYS_eventfd, eventfd},
    row{SYS_eventfd2, same<&::eventfd>},
    row{SYS_signalfd, signalfd},
    row{SYS_signalfd4, signalfd},
    row{SYS_timerfd_create, same<&::timerfd_create>},
    row{SYS_timerfd_settime, same<&::timerfd_settime>},
    row{SYS_timerfd_gettime, same<&::timerfd_gettime>},
    // sockets
    row{SYS_socket, same<&::socket>},
    row{SYS_socketpair, same<&::socketpair>},
    row{SYS_bind, same<&::bind>},
    row{SYS_listen, same<&::listen>},
    row{SYS_accept, same<&::accept>},
    row{SYS_accept4, same<&::accept4>},
    row{SYS_connect, same<&::connect>},
    row{SYS_shutdown, same<&::shutdown>},
    row{SYS_sendto, same<&::sendto>},
    row{SYS_sendmsg, same<&::sendmsg>},
    row{SYS_sendmmsg, same<&::sendmmsg>},
    row{SYS_recvfrom, same<&::recvfrom>},
    row{SYS_recvmsg, same<&::recvmsg>},
    row{SYS_recvmmsg, same<&::recvmmsg>},
    row{SYS_setsockopt, same<&::setsockopt>},
    row{SYS_getsockopt, same<&::getsockopt>},
    // message queues, System V
    row{SYS_mq_open, mq_open},
    row{SYS_mq_unlink, mq_unlink},
    row{SYS_mq_notify, mq_notify},
    row{SYS_mq_getsetattr, mq_getsetattr},
    row{SYS_mq_timedsend, mq_timedsend},
    row{SYS_mq_timedreceive, mq_timedreceive},
    row{SYS_msgget, same<&::msgget>},
    row{SYS_msgsnd, same<&::msgsnd>},
    row{SYS_msgrcv, same<&::msgrcv>},
    row{SYS_msgctl, same<&::msgctl>},
    row{SYS_semget, same<&::semget>},
    row{SYS_semop, same<&::semop>},
    row{SYS_semtimedop, same<&::semtimedop>},
    row{SYS_semctl, semctl},
    row{SYS_shmget, same<&::shmget>},
    row{SYS_shmat, same<&::shmat>},
    row{SYS_shmdt, same<&::shmdt>},
    row{SYS_shmctl, same<&::shmctl>},
    row{SYS_mmap, same<&::mmap>},
    row{SYS_munmap, same<&::munmap>},
    // futexes
    row{SYS_futex, futex},
    row{SYS_futex_waitv, futex_waitv},
    // time
    row{SYS_sched_yield, same<&::sched_yield>},
    row{SYS_nanosleep, same<&::nanosleep>},
    row{SYS_clock_nanosleep, clock_nanosleep},
    row{SYS_clock_gettime, same<&::clock_gettime>},
    row{SYS_gettimeofday, same<&::gettimeofday>},
    row{SYS_time, same<&::time>},
    row{SYS_getrandom, same<&::getrandom>},
    // processes and signals
    row{SYS_fork, fork},
    row{SYS_vfork, fork},
    row{SYS_clone, clone},
    row{SYS_execve, same<&::execve>},
    row{SYS_execveat, same<&::execveat>},
    row{SYS_wait4, same<&::wait4>},
    row{SYS_waitid, waitid},
    row{SYS_exit_group, exit_group},
    row{SYS_kill, same<&::kill>},
    row{SYS_tkill, tkill},
    row{SYS_tgkill, same<&::tgkill>},
    row{SYS_pidfd_open, same<&::pidfd_open>},
    row{SYS_pidfd_send_signal, same<&::pidfd_send_signal>},
    row{SYS_rt_sigqueueinfo, rt_sigqueueinfo},
    row{SYS_rt_tgsigqueueinfo, rt_tgsigqueueinfo},
    row{SYS_pause, same<&::pause>},
    row{SYS_alarm, same<&::alarm>},
    row{SYS_getitimer, same<&::getitimer>},
    row{SYS_setitimer, same<&::setitimer>},
    row{SYS_rt_sigsuspend, sigsuspend},
    row{SYS_rt_sigtimedwait, sigtimedwait},
};

// What other processes may notice, or what may wait, and nobody schedules.
struct escape {
  long number;
  const char* name;
};
constexpr std::array escapes{
    escape{SYS_io_uring_enter, "io_uring_enter"},
    escape{SYS_io_submit, "io_submit"},
    escape{SYS_io_getevents, "io_getevents"},
    escape{SYS_io_pgetevents, "io_pgetevents"},
    escape{SYS_clone3, "clone3"},
    escape{SYS_process_vm_writev, "process_vm_writev"},
    escape{SYS_ptrace, "ptrace"},
    escape{SYS_unshare, "unshare"},
    escape{454, "futex_wake"},  // Linux 6.7, which libc's headers do not know yet
    escape{455, "futex_wait"},
    escape{456, "futex_requeue"},
};

long pass(const system_call& call) noexcept {
  const auto found = std::find_if(escapes.begin(), escapes.end(),
                                  [&](const escape& e) { return e.number == call.number; });
  return nowhere_answered(found->name, call);
}

constexpr std::size_t number_end = 512;  // beyond all numbers of today

constexpr auto by_number = [] {
  std::array<answer, number_end> table{};
  for (const auto& e : escapes) table[static_cast<std::size_t>(e.number)] = pass;
  for (const auto& r : rows) table[static_cast<std::size_t>(r.number)] = r.answered_by;
  return table;
}();

}  // namespace

answer answer_for(long number) noexcept {
  return number >= 0 && number < static_cast<long>(by_number.size())
             ? by_number[static_cast<std::size_t>(number)]
             : nullptr;
}

}  // namespace forkloom::intercept
