// Record locks: fcntl(2) with F_SETLK and its kin, of the process or of the open file; lockf.
//
// Resource: the record locks of the file, by its inode. Each operation tells its range of bytes.
// Blocks: the waiting commands, while the real F_SETLK says EAGAIN.
// Releases: an unlock, and a write lock that becomes a read lock, for those who wait for some of
// its bytes; the close of any descriptor of the file by the process that owns them, or of the last
// one of the open file; the death of anybody.
//
// F_SETLKW fails with EDEADLK if processes would wait for each other's locks in a circle, which the
// kernel finds by following each waiting process to the owner of the first lock in its way. A
// non-blocking attempt never says so; here the same way is followed through record_wait, and who is
// in the way is asked of the kernel (F_GETLK).
// Limit: locks of open files end the search; the kernel goes on where another thread of theirs
// waits for a lock of a process.
// Async-signal-safe: nothing is allocated, no lock but the caller's is taken.
#include "framework/intercept/record_lock.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "framework/execution/identity.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/sys.hpp"
#include "framework/intercept/next.hpp"
#include "framework/trace/record_range.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;
using execution::controlled;
using execution::controlled_call;

using lock_request = struct flock;

constinit next<decltype(::lockf)> real_lockf{"lockf"};

constexpr pid_t open_file = -1;  // what F_GETLK says of the owner that is no process

int real_control(int fd, int command, const lock_request& asked) noexcept {
  return static_cast<int>(sys::call(SYS_fcntl, fd, command, sys::address(&asked)));
}

pid_t own_process() noexcept { return static_cast<pid_t>(sys::call(SYS_getpid)); }

bool of_open_file(int command) noexcept {
  return command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}

// The caller's memory, if it can be read; the kernel says EFAULT and does not fault.
bool copy_in(lock_request& to, const lock_request* from) noexcept {
  const iovec here{&to, sizeof to};
  const iovec there{const_cast<lock_request*>(from), sizeof to};  // NOLINT: an iovec for reading
  const auto got = sys::call(SYS_process_vm_readv, own_process(), sys::address(&here), 1,
                             sys::address(&there), 1, 0);
  if (got == sizeof to) return true;
  if (got >= 0 || got == -EFAULT) return false;
  to = *from;  // the call itself is not allowed here
  return true;
}

// Where the range is counted from. The kernel looks once, before it waits.
std::int64_t origin(int fd, short whence) noexcept {
  if (whence == SEEK_CUR) return sys::call(SYS_lseek, fd, 0, SEEK_CUR);
  struct stat status {};
  if (whence == SEEK_END && sys::call(SYS_fstat, fd, sys::address(&status)) == 0)
    return status.st_size;
  return 0;
}

// The bytes that are asked for. What the kernel will refuse may come out as anything.
record_range range_asked(int fd, const lock_request& asked, int command) noexcept {
  constexpr auto end = static_cast<std::int64_t>(record_range::end_of_file);
  std::int64_t first = 0;
  std::int64_t last = end;
  if (__builtin_add_overflow(origin(fd, asked.l_whence), asked.l_start, &first) || first < 0)
    first = 0;
  if (asked.l_len > 0 && __builtin_add_overflow(first, asked.l_len - 1, &last)) last = end;
  if (asked.l_len < 0) {
    last = first - 1;
    first += asked.l_len;
  }
  return {.first = static_cast<std::uint64_t>(first) & record_range::end_of_file,
          .last = static_cast<std::uint64_t>(last) & record_range::end_of_file,
          .shared = asked.l_type == F_RDLCK,
          .of_open_file = of_open_file(command)};
}

// The same request, whatever becomes of the file's size and offset meanwhile.
lock_request fixed(lock_request asked, const record_range& range) noexcept {
  asked.l_whence = SEEK_SET;
  asked.l_start = static_cast<off_t>(range.first);
  asked.l_len = range.last == record_range::end_of_file
                    ? 0
                    : static_cast<off_t>(range.last - range.first) + 1;
  return asked;
}

execution::record_wait& wait_of(task_id task) noexcept {
  return execution::current_arena()->details[index(task)].record;
}

// Calls visit(wait) for each living task's wait until one returns true; whether one did.
template <class Visit>
bool any_wait(Visit visit) noexcept {
  const auto& a = *execution::current_arena();
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i)
    if (a.tasks[i].state != execution::task_state::dead &&
        wait_of(task_id(i)).locks != no_resource && visit(task_id(i)))
      return true;
  return false;
}

pid_t awaited_by(pid_t process) noexcept {
  pid_t found = 0;
  any_wait([&](task_id task) {
    found = wait_of(task).owner == process ? wait_of(task).blocker : 0;
    return found != 0;
  });
  return found;
}

// Does the owner of the lock in the way wait for us? The kernel, too, gives up after some owners.
bool closes_circle(pid_t blocker) noexcept {
  constexpr int owners_max = 11;  // 1 + MAX_DEADLK_ITERATIONS of its fs/locks.c
  const auto self = own_process();
  for (int i = 0; i < owners_max && blocker > 0; ++i) {
    blocker = awaited_by(blocker);
    if (blocker == self) return true;
  }
  return false;
}

// Who owns the first lock in the way; 0 if nobody does.
pid_t blocker_of(int fd, lock_request wanted, int command) noexcept {
  const auto query = of_open_file(command) ? F_OFD_GETLK : F_GETLK;
  if (real_control(fd, query, wanted) < 0 || wanted.l_type == F_UNLCK) return 0;
  return wanted.l_pid;
}

// The owner has given these bytes back, or shares them now: who waited for him there may go on.
// Whoever waits for somebody else there would try in vain.
void released(resource_id records, pid_t owner, const record_range& range) noexcept {
  if (records == no_resource) return;
  auto& a = *execution::current_arena();
  any_wait([&](task_id task) {
    auto& wait = wait_of(task);
    const bool concerned = wait.locks == records && wait.first <= range.last &&
                           range.first <= wait.last && (wait.blocker == owner || wait.blocker == 0);
    if (!concerned) return false;
    wait = {};
    if (a[task].state == execution::task_state::blocked)
      execution::set_enabled(a, task, execution::wake::retry);
    return false;
  });
}

// Which processes own locks is kept as a set of tasks in the resource's model, one bit a task.
std::uint64_t& owners_word(resource_id records, std::uint64_t& bit) noexcept {
  auto& model = execution::current_arena()->resources[records].model;
  const auto task = index(execution::self()) % (64 * model.size());
  bit = std::uint64_t{1} << (task % 64);
  return model[task / 64];
}

void set_owns(resource_id records, bool owns) noexcept {
  std::uint64_t bit = 0;
  auto& word = owners_word(records, bit);
  word = owns ? word | bit : word & ~bit;
}

// The kernel has done what was asked.
int granted(controlled_call& call, const lock_request& asked, const record_range& range) noexcept {
  const auto records = call.resource();
  if (records != no_resource && !range.of_open_file) {
    if (asked.l_type != F_UNLCK)
      set_owns(records, true);
    else if (range.everything())
      set_owns(records, false);
  }
  if (asked.l_type != F_WRLCK)
    released(records, range.of_open_file ? open_file : own_process(), range);
  return call.completed_without_waking(0);
}

int lock_records(int fd, int command, const lock_request& asked, const void* site) noexcept {
  const bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
  const auto attempt = of_open_file(command) ? F_OFD_SETLK : F_SETLK;
  const auto op = asked.l_type == F_UNLCK ? operation::record_unlock
                  : waits                 ? operation::record_lock
                                          : operation::record_trylock;
  const auto records = execution::locks_of(fd, resource_kind::record_lock);
  controlled_call call{op, records, site};
  const auto range = range_asked(fd, asked, command);
  call.asks(first_number(range), second_number(range));
  auto wanted = asked;
  for (;;) {
    const auto result = real_control(fd, attempt, wanted);
    wait_of(execution::self()) = {};
    if (result >= 0) return granted(call, asked, range);
    if (!waits || (result != -EAGAIN && result != -EACCES)) return call.failed(-result);
    wanted = fixed(asked, range);
    const auto blocker = blocker_of(fd, wanted, command);
    const auto owner = range.of_open_file ? pid_t{0} : own_process();
    if (owner != 0 && closes_circle(blocker)) return call.failed(EDEADLK);
    wait_of(execution::self()) = {owner, blocker, records, range.first, range.last};
    if (call.block() == execution::wake::interrupted) {
      wait_of(execution::self()) = {};
      return call.failed(EINTR);
    }
  }
}

// The event's result is 1 if a lock was in the way; its numbers are then that lock's.
int query_records(int fd, int command, lock_request* asked, const lock_request& copy,
                  const void* site) noexcept {
  controlled_call call{operation::record_query, execution::locks_of(fd, resource_kind::record_lock),
                       site};
  auto range = range_asked(fd, copy, command);
  call.asks(first_number(range), second_number(range));
  if (const auto result = real_control(fd, command, *asked); result < 0)
    return call.failed(-result);
  const bool free = asked->l_type == F_UNLCK;
  if (!free) {
    range = range_asked(fd, *asked, command);
    range.of_open_file = asked->l_pid == open_file;
    call.asks(first_number(range), second_number(range));
  }
  call.completed_unchanged(free ? 0 : 1);
  return 0;
}

// lockf is a record lock of the process, from the file's offset on.
int lock_from_offset(int fd, int how, off_t length, const void* site) noexcept {
  lock_request asked{};
  asked.l_whence = SEEK_CUR;
  asked.l_len = length;
  asked.l_type = how == F_ULOCK ? F_UNLCK : F_WRLCK;
  switch (how) {
    case F_LOCK:
      return lock_records(fd, F_SETLKW, asked, site);
    case F_TLOCK:
    case F_ULOCK:
      return lock_records(fd, F_SETLK, asked, site);
    case F_TEST: {
      controlled_call call{operation::record_query,
                           execution::locks_of(fd, resource_kind::record_lock), site};
      const auto range = range_asked(fd, asked, F_GETLK);
      call.asks(first_number(range), second_number(range));
      if (real_lockf(fd, how, length) != 0) return call.failed(errno);
      return call.completed_unchanged(0);
    }
    default:
      return real_lockf(fd, how, length);
  }
}

}  // namespace

int control_records(int fd, int command, struct flock* asked, const void* site) noexcept {
  lock_request copy{};
  if (!copy_in(copy, asked)) {
    controlled_call call{operation::record_trylock,
                         execution::locks_of(fd, resource_kind::record_lock), site};
    return call.failed(-real_control(fd, command, *asked));
  }
  if (command == F_GETLK || command == F_OFD_GETLK)
    return query_records(fd, command, asked, copy, site);
  return lock_records(fd, command, copy, site);
}

bool owns_records(resource_id records) noexcept {
  std::uint64_t bit = 0;
  return (owners_word(records, bit) & bit) != 0;
}

void close_process_records(resource_id records) noexcept {
  set_owns(records, false);
  released(records, own_process(), {});
}

void close_open_file_records(resource_id records) noexcept { released(records, open_file, {}); }

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int lockf(int fd, int how, off_t length) {
  if (!controlled()) return real_lockf(fd, how, length);
  return lock_from_offset(fd, how, length, __builtin_return_address(0));
}

int lockf64(int fd, int how, off64_t length) {
  if (!controlled()) return real_lockf(fd, how, length);
  return lock_from_offset(fd, how, length, __builtin_return_address(0));
}

}  // extern "C"
