#include "framework/execution/controller.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "framework/execution/call.hpp"
#include "framework/execution/event_source.hpp"
#include "framework/execution/faults.hpp"
#include "framework/execution/harvest.hpp"
#include "framework/execution/inherited_pipes.hpp"
#include "framework/execution/leftovers.hpp"
#include "framework/execution/main_thread.hpp"
#include "framework/execution/process_tree.hpp"
#include "framework/execution/program.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/stack.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/task_life.hpp"

namespace forkloom::execution {
namespace {

// How often the controller looks whether the running task still moves. It costs a wake-up each time
// and decides nothing by itself; the watchdog wants evidence.
constexpr std::chrono::milliseconds tick{100};

// epoll_event::data: a task's index, or one of these.
constexpr std::uint64_t mail_tag = std::uint64_t{1} << 32;
constexpr std::uint64_t stop_tag = mail_tag + 1;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void add_to(const unique_fd& epoll, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event e{};
  e.events = events;
  e.data.u64 = tag;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &e) != 0) fail("epoll_ctl");
}

// A task begins with the signal state of a fresh program: whatever the test runner has installed is
// the runner's, and no signal is blocked. But until its first turn all are held back from it, from
// the moment of the fork on: another task may send it one before it has run at all.
class signals_held {
 public:
  signals_held() noexcept {
    const std::uint64_t all = ~std::uint64_t{0};
    sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::address(&all), sys::address(&before_),
              sizeof all);
  }
  ~signals_held() {
    sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::address(&before_), 0, sizeof before_);
  }
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;

 private:
  std::uint64_t before_ = 0;
};

// See script_memory.
void keep_script(arena& a, strategy::script& what) {
  auto& kept = a.script;
  if (what.picks.size() > kept.picks.size() || what.draws.size() > kept.draws.size())
    throw std::length_error("an explicit schedule is longer than an execution can be");
  std::copy(what.picks.begin(), what.picks.end(), kept.picks.begin());
  std::copy(what.draws.begin(), what.draws.end(), kept.draws.begin());
  what = {{kept.picks.data(), what.picks.size()}, {kept.draws.data(), what.draws.size()}};
}

void keep_script(arena& a) {
  a.strategy.visit([&](auto& strategy) {
    if constexpr (requires { strategy.follows(); }) keep_script(a, strategy.follows());
  });
}

// See choice_memory.
void keep_record(arena& a) {
  a.strategy.visit([&](auto& strategy) {
    if constexpr (requires { strategy.record_into(a.choices.records); })
      strategy.record_into(a.choices.records);
  });
}

void take_record(arena& a, trace& result) {
  a.strategy.visit([&](const auto& strategy) {
    if constexpr (requires { strategy.recorded(); })
      result.choices.assign(strategy.recorded().begin(), strategy.recorded().end());
  });
}

}  // namespace

controller::controller(const limits& bounds, int stop_fd)
    : bounds_(bounds),
      arena_(map_arena()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      watchdog_(bounds.hang) {
  if (arena_ == nullptr) fail("cannot map the arena");
  std::array<int, 2> mail{-1, -1};
  if (!epoll_ || ::pipe2(mail.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    fail("cannot make the controller's descriptors");
  mail_.reset(mail[0]);
  mail_entrance_.reset(mail[1]);
  add_to(epoll_, mail_.get(), EPOLLIN, mail_tag);
  if (stop_fd >= 0) add_to(epoll_, stop_fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, stop_tag);
  place(arena_->controller, mail_entrance_.get());
  arena_->controller.pid = ::getpid();
  arena_->config.progress_limit = bounds.progress_steps;
  arena_->config.step_limit = bounds.total_steps;
  arena_->config.faults = bounds.faults;
  arena_->config.timeouts = bounds.timeouts;
  programs_follow_ = let_programs_follow(*arena_);
  warm_up_stacks();
  set_current_arena(arena_);
}

controller::~controller() {
  set_current_arena(nullptr);
  unmap_arena(arena_);
}

void controller::begin(const strategy::state& strategy, std::uint64_t seed, bool record_stacks) {
  arena_->reset();
  arena_->controller.births.store(0);
  arena_->controller.birth_acknowledged.store(0);
  arena_->controller.unnoticed_deaths.store(0);
  arena_->strategy = strategy;
  keep_script(*arena_);
  keep_record(*arena_);
  strategy::begin(arena_->strategy, seed);
  arena_->config.record_stacks = record_stacks;
  arena_->config.random_seed = seed;
  faults::begin(*arena_);
  newborns_watched_ = 0;
  pidfds_.clear();
  waits_.clear();
  detail_.clear();
  culprit_ = no_task;
  watchdog_.restart();
  hold_inherited_pipes();
  forget_event_sources();
}

task_id controller::spawn(std::string_view name, const std::function<void()>& body) {
  const auto task = birth(*arena_, no_task, name);
  if (task == no_task) return task;
  if (!output_.prepare(task)) {
    unborn(*arena_, task);
    fail("cannot make a file for a task's output");
  }
  // What is still buffered here would be written by the child as well.
  std::fflush(nullptr);
  const auto parent = ::getpid();
  const signals_held until_child_runs;
  const auto pid = ::fork();
  if (pid < 0) {
    const auto error = errno;
    unborn(*arena_, task);
    throw std::system_error(error, std::generic_category(), "cannot fork a task");
  }
  if (pid == 0) live(task, parent, body);
  (*arena_)[task].pid.store(pid);
  watch(task);
  return task;
}

// System calls are made directly: each piece of libc that a fresh process runs is a page fault.
void controller::live(task_id task, pid_t parent, const std::function<void()>& body) noexcept {
  auto& a = *arena_;
  sys::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (sys::call(SYS_getppid) != parent) ::_exit(1);  // it died before the line above
  output_.redirect(task);
  a.details[index(task)].thread.handle = ::pthread_self();
  begin_life(task);
  run_in_main_thread(body);
  leave_body(0);
}

void controller::watch(task_id task) {
  const auto fd = static_cast<int>(
      sys::call(SYS_pidfd_open, (*arena_)[task].pid.load(std::memory_order_relaxed), 0));
  if (fd < 0) {
    errno = -fd;
    fail("pidfd_open");
  }
  if (pidfds_.size() <= index(task)) pidfds_.resize(index(task) + 1);
  pidfds_[index(task)].reset(fd);
  add_to(epoll_, fd, EPOLLIN | EPOLLONESHOT, index(task));
}

// Tasks that tasks forked. Each parent waits until its child is watched, so none can be missed.
void controller::watch_newborns() {
  auto& mail = arena_->controller;
  while (newborns_watched_ != mail.births.load()) {
    watch(task_id(mail.newborn.load()));
    ++newborns_watched_;
    mail.birth_acknowledged.store(newborns_watched_);
    sys::futex_wake(mail.birth_acknowledged);
  }
}

void controller::start() {
  release_inherited_pipes();
  pass_token(*arena_, no_task, choose(*arena_, no_task, false));
}

void controller::run() {
  auto& s = arena_->schedule;
  start();
  while (!s.ended.load(std::memory_order_acquire)) serve(tick);
  // Still suspended, the tasks can be examined: who waits for what, and who could help.
  if (s.living > 0) waits_ = find_waits(*arena_);
  kill_all();
  reap_all();
}

void controller::abandon() {
  end_execution(*arena_, ending::failed);
  release_inherited_pipes();
  kill_all();
  reap_all();
}

void controller::serve(std::chrono::milliseconds patience) {
  std::array<epoll_event, 16> ready{};
  const auto count = ::epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()),
                                  static_cast<int>(patience.count()));
  if (count == 0) {
    watch_newborns();  // in case a letter could not be written
    look_after_running();
  }
  for (int i = 0; i < count; ++i) {
    const auto tag = ready[static_cast<std::size_t>(i)].data.u64;
    if (tag == mail_tag) {
      std::array<char, 512> letters;  // NOLINT: nobody looks at what is in them
      while (sys::call(SYS_read, mail_.get(), sys::address(letters.data()), letters.size()) > 0)
        continue;
      watch_newborns();
    } else if (tag == stop_tag) {
      interrupted_ = true;
      end_execution(*arena_, ending::interrupted);
    } else {
      on_death(task_id(tag));
    }
  }
}

// A process whose thread held the token takes it into its grave, so nobody else runs and the
// schedule is ours. Any other death is only noted: whoever runs buries the dead at its next
// scheduling point.
void controller::on_death(task_id process) {
  auto& a = *arena_;
  auto& t = a[process];
  if (t.process_ended) return;
  const auto status = exit_status(t.pid.load(), pidfds_[index(process)].get());
  const auto running = a.schedule.running;
  if (running != no_task && a[running].process == process) {
    death(a, process, status);
    pass_token(a, no_task, choose(a, no_task, false));
    return;
  }
  t.wait_status = status;
  t.died.store(true);
  a.controller.unnoticed_deaths.fetch_add(1);
}

void controller::look_after_running() {
  auto& a = *arena_;
  const auto running = a.schedule.running;
  if (running == no_task) return;
  const auto process = a[running].process;
  if (a[process].died.load()) return on_death(process);  // it was picked just as it died
  const auto found = watchdog_.look(a.schedule.step, a[process].pid.load(), a[running].tid.load());
  if (!found) return;
  culprit_ = running;
  detail_ = found->detail;
  end_execution(a, found->how);
}

void controller::kill_all() {
  for (std::size_t i = 0; i < pidfds_.size(); ++i) {
    if (arena_->tasks[i].process_ended || !pidfds_[i]) continue;
    sys::call(SYS_pidfd_send_signal, pidfds_[i].get(), SIGKILL, 0, 0);
  }
}

void controller::reap_all() noexcept {
  kill_and_reap_descendants();
  pidfds_.clear();
}

trace controller::harvest() {
  auto result = to_trace(*arena_);
  take_record(*arena_, result);
  result.leftovers = take_files_left(*arena_);
  result.waits = std::move(waits_);
  if (culprit_ != no_task) result.culprit = culprit_;
  if (!detail_.empty()) result.detail = detail_;
  for (std::size_t i = 0; i < result.tasks.size(); ++i)
    result.tasks[i].output = output_.take(task_id(i));
  return result;
}

}  // namespace forkloom::execution
