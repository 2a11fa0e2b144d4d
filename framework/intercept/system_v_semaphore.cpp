// System V semaphores: sets of counters that one call changes all together or not at all.
//
// Resource: the set, by its id; semget concerns the key.
// Blocks: semop, while the real one with IPC_NOWAIT says EAGAIN and the operation that stands in
// the way did not ask for that itself.
// Releases: any semop that changes a value; SETVAL, SETALL, IPC_SET and IPC_RMID; the death of
// anybody, because the kernel then takes back what was done with SEM_UNDO.
//
// Linux hands a value over to the first waiter as it is posted. Here it stays in the set until one
// is picked, and others may take it before, as POSIX leaves open. The kernel sees no waiters, so
// GETNCNT and GETZCNT count those of the model.
// Async-signal-safe: nothing is allocated, no lock is taken.
#include <sys/sem.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <span>

#include "framework/intercept/next.hpp"
#include "framework/intercept/system_v.hpp"
#include "framework/trace/semaphore_operations.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;
using execution::no_deadline;
using execution::wake;
using system_v::stamp;

// What semctl(2) leaves to its callers to declare.
union semun {
  int val;
  semid_ds* buf;
  unsigned short* array;
  seminfo* info;
};

constinit next<decltype(::semget)> real_get{"semget"};
constinit next<decltype(::semop)> real_op{"semop"};
constinit next<decltype(::semtimedop)> real_timedop{"semtimedop"};
constinit next<int(int, int, int, semun)> real_ctl{"semctl"};

resource_id set_of(int id) noexcept {
  return execution::system_v_object(id, resource_kind::system_v_semaphore);
}

constexpr short highest_value = 32767;  // SEMVMX, which no header has

// A copy of a call's operations in which none waits.
class attempt {
 public:
  // The kernel's SEMOPM, unless an administrator has changed it.
  static constexpr std::size_t capacity = 500;

  attempt(int id, std::span<const sembuf> wanted) noexcept : id_(id), wanted_(wanted) {
    std::transform(wanted.begin(), wanted.end(), operations_.begin(), [](sembuf one) {
      one.sem_flg |= IPC_NOWAIT;
      return one;
    });
  }

  [[nodiscard]] bool succeeds() noexcept {
    return real_timedop(id_, operations_.data(), wanted_.size(), nullptr) == 0;
  }

  // After an attempt that said EAGAIN: the first operation that stands in the way, which is the one
  // that a waiter counts for, and whose IPC_NOWAIT decides.
  [[nodiscard]] const sembuf& blocker() const noexcept {
    for (std::size_t i = 0; i + 1 < wanted_.size(); ++i)
      if (blocks_by(i)) return wanted_[i];
    return wanted_.back();
  }

 private:
  // Do the operations up to this one block? They are tried together with two that no semaphore can
  // take, so that nothing is changed in any case. The kernel looks in order, and says ERANGE only
  // if it comes as far as that. Whoever may not alter the set can only wait for zeros. Where the
  // two find no room any more, the operation is taken for the one that blocks.
  [[nodiscard]] bool blocks_by(std::size_t last) const noexcept {
    if (last + 3 > capacity) return true;
    std::array<sembuf, capacity> probe{};
    const auto end = std::copy_n(operations_.begin(), last + 1, probe.begin());
    const auto number = wanted_[last].sem_num;
    std::fill_n(end, 2, sembuf{number, highest_value, IPC_NOWAIT});
    if (real_timedop(id_, probe.data(), last + 3, nullptr) == 0) return false;
    if (errno == EAGAIN) return true;
    return errno == EACCES && real_ctl(id_, number, GETVAL, {}) != 0;
  }

  int id_;
  std::span<const sembuf> wanted_;
  std::array<sembuf, capacity> operations_{};
};

// What a waiter waits for, in the arena: the number of the semaphore + 1, and by how much its value
// must rise; by nothing, if it must become zero.
std::uint64_t awaited_part(const sembuf& blocker) noexcept {
  return (blocker.sem_num + std::uint64_t{1}) << 16 | static_cast<std::uint16_t>(-blocker.sem_op);
}

void set_awaited_part(std::uint64_t part) noexcept {
  execution::current_arena()->details[index(execution::self())].awaited_part = part;
}

// Those that wait for this semaphore and would natively still do so. Whom the kernel would have let
// go on already, when the value rose, is here enabled and has not been picked yet.
int waiting(resource_id set, int number, bool for_zero, int value) noexcept {
  const auto& a = *execution::current_arena();
  int count = 0;
  for (std::uint32_t i = 0; i < a.schedule.task_count; ++i) {
    const auto& t = a.tasks[i];
    const auto part = a.details[i].awaited_part;
    const auto amount = static_cast<int>(part & 0xffff);
    const bool blocked = t.state == execution::task_state::blocked;
    if (part >> 16 != static_cast<std::uint64_t>(number) + 1 || (amount == 0) != for_zero) continue;
    if (t.pending != operation::semop || t.pending_resource != set) continue;
    if (!blocked && (t.state != execution::task_state::ready || t.cause == wake::timed_out))
      continue;
    if (blocked || (for_zero ? value != 0 : value < amount))
      ++count;
    else
      value -= amount;
  }
  return count;
}

semaphore_operations told(std::span<const sembuf> wanted) noexcept {
  semaphore_operations all;
  for (const auto& one : wanted) all.add({one.sem_num, one.sem_op, (one.sem_flg & SEM_UNDO) != 0});
  return all;
}

// Of a single semaphore that has been taken: what is left in it tells whether others could have it,
// too. 0 for all other calls, and for those that may not look.
std::uint64_t left(int id, std::span<const sembuf> wanted) noexcept {
  if (wanted.size() != 1 || wanted[0].sem_op >= 0) return 0;
  return number_of_left(real_ctl(id, wanted[0].sem_num, GETVAL, {})) << left_in_set_shift;
}

// has: the number of event::after.
int done(controlled_call& call, int id, std::span<const sembuf> wanted,
         std::uint64_t has) noexcept {
  system_v::happened(call.resource(), stamp::first);
  call.asks(told(wanted).before(), has | left(id, wanted));
  const bool changes =
      std::any_of(wanted.begin(), wanted.end(), [](const sembuf& one) { return one.sem_op != 0; });
  return changes ? call.completed(0) : call.completed_unchanged(0);
}

int try_then_block(controlled_call& call, int id, std::span<const sembuf> wanted,
                   std::uint64_t deadline, std::uint64_t has) noexcept {
  attempt tries(id, wanted);
  for (bool has_waited = false;; has_waited = true) {
    if (tries.succeeds()) return done(call, id, wanted, has);
    if (errno != EAGAIN) return system_v::failed(call, has_waited, errno);
    const auto& blocker = tries.blocker();
    if ((blocker.sem_flg & IPC_NOWAIT) != 0) return call.failed(EAGAIN);
    set_awaited_part(awaited_part(blocker));
    const auto cause = call.block(deadline);
    if (cause == wake::timed_out) return call.failed(EAGAIN);
    if (cause != wake::retry) return call.failed(EINTR);  // SA_RESTART or not
  }
}

int operate(int id, sembuf* operations, std::size_t count, const timespec* time_out,
            const void* site) noexcept {
  controlled_call call{operation::semop, set_of(id), site};
  // What the kernel refuses without a look at the set, it may say itself.
  if (operations == nullptr || count == 0 || count > attempt::capacity ||
      (time_out != nullptr && (!valid(*time_out) || time_out->tv_sec < 0)))
    return real_timedop(id, operations, count, time_out) == 0 ? call.completed(0)
                                                              : call.failed(errno);
  const std::span<const sembuf> wanted(operations, count);
  const auto all = told(wanted);
  const bool waits =
      time_out == nullptr && std::none_of(wanted.begin(), wanted.end(), [](const sembuf& one) {
        return (one.sem_flg & IPC_NOWAIT) != 0;
      });
  const auto after = all.after() | (waits ? 0 : limited_semop);
  call.asks(all.before(), after);
  // Only what is to be undone needs memory.
  const bool undoes = std::any_of(wanted.begin(), wanted.end(),
                                  [](const sembuf& one) { return (one.sem_flg & SEM_UNDO) != 0; });
  if (const auto error = call.refusal(undoes ? 0 : only(fault_kind::enomem)); error != 0)
    return call.failed(error);
  const auto deadline = time_out == nullptr ? no_deadline : deadline_after(*time_out);
  const auto result = try_then_block(call, id, wanted, deadline, after);
  set_awaited_part(0);
  return result;
}

bool takes_argument(int command) noexcept {
  switch (command) {
    case IPC_RMID:
    case GETNCNT:
    case GETPID:
    case GETVAL:
    case GETZCNT:
      return false;
    default:
      return true;
  }
}

// The others tell of the whole system, or take an index for an id.
bool concerns_set(int command) noexcept {
  return command < IPC_INFO || (command >= GETPID && command <= SETALL);
}

bool changes_set(int command) noexcept {
  return command == IPC_RMID || command == IPC_SET || command == SETVAL || command == SETALL;
}

// Before a set is removed: its key can then be used for another one.
void involve_key(controlled_call& call, int id) noexcept {
  semid_ds status{};
  if (real_ctl(id, 0, IPC_STAT, {.buf = &status}) == 0 && status.sem_perm.__key != IPC_PRIVATE)
    call.involve(execution::system_v_key(status.sem_perm.__key, resource_kind::system_v_semaphore));
}

// What the kernel has said, put right where the model knows better.
int corrected(int result, resource_id set, int id, int number, int command, semun argument) {
  switch (command) {
    case GETNCNT:
    case GETZCNT:
      return result + waiting(set, number, command == GETZCNT, real_ctl(id, number, GETVAL, {}));
    case IPC_STAT:
      system_v::show(set, stamp::first, argument.buf->sem_otime);
      system_v::show(set, stamp::change, argument.buf->sem_ctime);
      return result;
    default:
      return result;
  }
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int semctl(int id, int number, int command, ...) noexcept {
  semun argument{};
  if (takes_argument(command)) {
    va_list rest;
    va_start(rest, command);
    argument = va_arg(rest, semun);
    va_end(rest);
  }
  if (!controlled()) return real_ctl(id, number, command, argument);
  const auto set = concerns_set(command) ? set_of(id) : no_resource;
  controlled_call call{operation::semctl, set, __builtin_return_address(0)};
  call.asks(static_cast<std::uint64_t>(command), static_cast<std::uint64_t>(number));
  if (command == IPC_RMID) involve_key(call, id);
  const auto result = real_ctl(id, number, command, argument);
  if (result < 0) return call.failed(errno);
  if (!changes_set(command))
    return call.completed_unchanged(corrected(result, set, id, number, command, argument));
  system_v::happened(set, stamp::change);
  return call.completed(result);
}

int semget(key_t key, int count, int flags) noexcept {
  return system_v::get(operation::semget, resource_kind::system_v_semaphore, key, flags,
                       __builtin_return_address(0),
                       [&](int with) { return real_get(key, count, with); });
}

int semop(int id, sembuf* operations, std::size_t count) noexcept {
  if (!controlled()) return real_op(id, operations, count);
  return operate(id, operations, count, nullptr, __builtin_return_address(0));
}

int semtimedop(int id, sembuf* operations, std::size_t count, const timespec* time_out) noexcept {
  if (!controlled()) return real_timedop(id, operations, count, time_out);
  return operate(id, operations, count, time_out, __builtin_return_address(0));
}

}  // extern "C"
