// Being told of a message: mq_notify.
//
// Resource: the queue, whose model holds who is to be told, and how; for a thread that waits to be
// told, the queue's notice.
// Blocks: such a thread, until it is told or nobody is to be told any more.
// Releases: a message that comes to an empty queue at which nobody waits for it.
//
// The kernel judges the request and is made to forget it at once: it does not see those who wait
// here for messages, and would tell of one that natively is theirs. So the sender tells, as the
// kernel would in the sender's call. SIGEV_THREAD is libc's affair: a thread of its own makes
// another one for the message. Here that other one is made beforehand, a task that waits. Making it
// allocates; all else is async-signal-safe.
#include "framework/intercept/message_notice.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <string_view>
#include <utility>

#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"
#include "framework/intercept/signal_send.hpp"
#include "framework/intercept/thread.hpp"

namespace forkloom::intercept {
namespace {

namespace signals = execution::signals;
namespace sys = execution::sys;
using execution::arena;
using execution::controlled;
using execution::controlled_call;

constinit next<int(mqd_t, const sigevent*)> real_notify{"mq_notify"};
constinit next<decltype(::pthread_detach)> real_detach{"pthread_detach"};

arena& this_arena() noexcept { return *execution::current_arena(); }
task_id own_process() noexcept { return signals::process_of(this_arena(), execution::self()); }

// Who is to be told of the next message. A process that has executed another program is another
// one: the kernel has closed its queues.
struct request {
  task_id process = no_task;
  task_id thread = no_task;  // that waits to be told
  int how = SIGEV_NONE;
  int signal = 0;
  std::uint16_t image = 0;
  std::uint64_t value = 0;

  [[nodiscard]] bool stands() const noexcept {
    const auto& a = this_arena();
    return process != no_task && !a[process].process_ended &&
           a.details[index(process)].image == image;
  }
};

// A task as one more than its number, so that zero is nobody.
std::uint64_t packed(task_id task) noexcept { return task == no_task ? 0 : index(task) + 1; }
task_id unpacked(std::uint64_t word) noexcept { return word == 0 ? no_task : task_id(word - 1); }

request request_of(resource_id queue) noexcept {
  const auto& words = this_arena().resources[queue].model;
  return {.process = unpacked(words[0] & 0xffff'ffff),
          .thread = unpacked(words[3]),
          .how = static_cast<int>(words[1] & 0xff),
          .signal = static_cast<int>(words[1] >> 8),
          .image = static_cast<std::uint16_t>(words[0] >> 32),
          .value = words[2]};
}

void set_request(resource_id queue, const request& r) noexcept {
  this_arena().resources[queue].model = {
      packed(r.process) | std::uint64_t{r.image} << 32,
      static_cast<std::uint64_t>(r.how) | static_cast<std::uint64_t>(r.signal) << 8, r.value,
      packed(r.thread)};
}

// What a thread that waits to be told waits for; see task_details::awaited_part.
enum class news : std::uint64_t { none, message, nobody_cares };

news news_of(task_id thread) noexcept {
  return news(this_arena().details[index(thread)].awaited_part);
}

void tell(task_id thread, news what) noexcept {
  auto& a = this_arena();
  if (thread == no_task || !signals::lives(a, thread)) return;
  a.details[index(thread)].awaited_part = static_cast<std::uint64_t>(what);
  if (a[thread].state == execution::task_state::blocked)
    execution::set_enabled(a, thread, execution::wake::retry);
}

void withdraw(resource_id queue) noexcept {
  const auto r = request_of(queue);
  if (r.stands()) tell(r.thread, news::nobody_cares);
  set_request(queue, {});
}

// "notice of /name", at the queue's own place: whoever has the queue open may make it come.
resource_id notice_of(resource_id queue) noexcept {
  auto& resources = this_arena().resources;
  auto key = resources[queue].key;
  key.offset = 1;
  const auto known = resources.size();
  const auto id = resources.find_or_add(key, resource_kind::message_queue);
  if (resources.size() == known) return id;
  constexpr std::string_view what = "notice of ";
  const std::string_view name(resources[queue].name.data());
  std::array<char, execution::resource_name_size> text{};
  auto* end = std::copy(what.begin(), what.end(), text.data());
  end = std::copy_n(name.begin(), std::min(name.size(), text.size() - what.size() - 1), end);
  resources.set_name(id, {text.data(), static_cast<std::size_t>(end - text.data())});
  return id;
}

struct to_be_told {
  void (*function)(sigval);
  sigval value;
  resource_id notice;
};

bool is_told(resource_id notice) noexcept {
  const auto me = execution::self();
  controlled_call call{operation::signal_wait, notice, nullptr};
  while (news_of(me) == news::none) call.block_on({&notice, 1}, execution::no_deadline, false);
  const bool told = std::exchange(this_arena().details[index(me)].awaited_part, 0) ==
                    static_cast<std::uint64_t>(news::message);
  return told ? call.completed_without_waking(true) : call.completed_unchanged(false);
}

void* run(void* argument) {
  auto* own = static_cast<to_be_told*>(argument);
  const auto [function, value, notice] = *own;
  delete own;
  if (is_told(notice)) function(value);
  return nullptr;
}

// As glibc makes it: detached, and with no signal blocked. no_task, and an error number, on
// failure.
task_id make_thread(const sigevent& how, resource_id queue, const void* site, int& error) noexcept {
  auto* start =
      new (std::nothrow) to_be_told{how.sigev_notify_function, how.sigev_value, notice_of(queue)};
  pthread_t thread{};
  error = start == nullptr ? ENOMEM
                           : create_thread(&thread, how.sigev_notify_attributes,
                                           {reinterpret_cast<std::uintptr_t>(&run), start, false},
                                           site);  // NOLINT
  if (error != 0) {
    delete start;
    return no_task;
  }
  auto& a = this_arena();
  const auto made = thread_of_handle(thread);
  auto& details = a.details[index(made)].thread;
  if (!details.detached) details.detached = real_detach(thread) == 0;
  a[made].mask = 0;
  return made;
}

// What the kernel says to it. Nothing stays registered.
bool is_accepted(mqd_t queue, const sigevent* how) noexcept {
  if (how == nullptr) return real_notify(queue, nullptr) == 0;
  auto judged = *how;
  if (judged.sigev_notify == SIGEV_THREAD) judged.sigev_notify = SIGEV_NONE;
  return real_notify(queue, &judged) == 0 && real_notify(queue, nullptr) == 0;
}

bool somebody_receives(resource_id queue) noexcept {
  const auto& a = this_arena();
  bool found = false;
  a.resources[queue].waiters.for_each(
      [&](task_id task) { found |= a[task].pending == operation::mq_receive; });
  return found;
}

void tell_by_signal(const request& r, const void* site) noexcept {
  siginfo_t info{};
  info.si_signo = r.signal;
  info.si_code = SI_MESGQ;
  info.si_pid = static_cast<pid_t>(sys::call(SYS_getpid));
  info.si_uid = static_cast<uid_t>(sys::call(SYS_getuid));
  info.si_value.sival_ptr = reinterpret_cast<void*>(r.value);  // NOLINT: a word of the program's
  send_in_passing(r.process, info, site);
}

}  // namespace

// The kernel counts before it tells: the message is the only one.
void message_came(resource_id queue, mqd_t descriptor, const void* site) noexcept {
  const auto r = request_of(queue);
  if (!r.stands() || somebody_receives(queue)) return;
  mq_attr now{};
  if (sys::call(SYS_mq_getsetattr, descriptor, 0, sys::address(&now)) < 0 || now.mq_curmsgs != 1)
    return;
  set_request(queue, {});
  if (r.how == SIGEV_SIGNAL) return tell_by_signal(r, site);
  if (r.how != SIGEV_THREAD) return;
  auto& a = this_arena();
  execution::append_event(a, execution::self(), operation::signal_send, notice_of(queue),
                          outcome::completed);
  tell(r.thread, news::message);
}

void forgo_notice(resource_id queue) noexcept {
  const auto r = request_of(queue);
  if (r.process == own_process() && r.stands()) withdraw(queue);
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int mq_notify(mqd_t queue, const sigevent* how) noexcept {
  if (!controlled()) return real_notify(queue, how);
  const auto* site = __builtin_return_address(0);
  const auto resource = resource_of(queue);
  request wanted{.process = own_process(),
                 .image = this_arena().details[index(own_process())].image};
  int error = 0;
  if (how != nullptr) {
    wanted.how = how->sigev_notify;
    wanted.signal = how->sigev_signo;
    wanted.value = reinterpret_cast<std::uint64_t>(how->sigev_value.sival_ptr);  // NOLINT
    if (wanted.how == SIGEV_THREAD && is_message_queue(queue))
      wanted.thread = make_thread(*how, resource, site, error);
  }
  controlled_call call{operation::mq_notify, resource, site};
  if (error == 0 && !is_accepted(queue, how)) error = errno;
  if (error == 0 && how != nullptr && request_of(resource).stands()) error = EBUSY;
  if (error != 0) {
    tell(wanted.thread, news::nobody_cares);
    return call.failed(error);
  }
  if (how == nullptr)
    forgo_notice(resource);
  else
    set_request(resource, wanted);
  return call.completed_without_waking(0);
}

}  // extern "C"
