// Three processes stand in a row: the caller; a guardian, which left the old namespaces and waits;
// and the worker, the first process of the new ones. If the caller dies, both others see its end of
// the stop pipe close: the worker tidies up and leaves, and the guardian makes sure that it does.
#include "framework/explore/worker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>

#include "forkloom/error.hpp"
#include "framework/dsl/body_limit.hpp"
#include "framework/execution/process_tree.hpp"
#include "framework/execution/unique_fd.hpp"
#include "framework/explore/campaign.hpp"

namespace forkloom::explore {
namespace {

using execution::unique_fd;

// How long a worker that was told to stop may take to tidy up.
constexpr int farewell_ms = 10'000;

// Written by the signal handler.
std::atomic<int> caught_signal{0};
std::atomic<int> stop_pipe_to_close{-1};

struct pipe_ends {
  unique_fd read;
  unique_fd write;
};

pipe_ends make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0)
    throw internal_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  return {unique_fd(fds[0]), unique_fd(fds[1])};
}

void on_signal(int signal) {
  caught_signal.store(signal);
  if (const int fd = stop_pipe_to_close.exchange(-1); fd >= 0) ::close(fd);
}

// SIGINT and SIGTERM stop the work while one of these lives.
class signal_guard {
 public:
  explicit signal_guard(int stop_pipe) noexcept {
    stop_pipe_to_close.store(stop_pipe);
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, &before_[0]);
    ::sigaction(SIGTERM, &action, &before_[1]);
  }
  ~signal_guard() {
    ::sigaction(SIGINT, &before_[0], nullptr);
    ::sigaction(SIGTERM, &before_[1], nullptr);
    on_signal_done();
  }
  signal_guard(const signal_guard&) = delete;
  signal_guard& operator=(const signal_guard&) = delete;

 private:
  static void on_signal_done() noexcept {
    if (const int fd = stop_pipe_to_close.exchange(-1); fd >= 0) ::close(fd);
  }
  std::array<struct sigaction, 2> before_{};
};

// Whatever the caller's test runner installed is the runner's business.
void forget_signal_handlers() noexcept {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
}

// One processor for the whole execution: a hand-over across processors costs ten times as much.
void pin_to_one_cpu() noexcept {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

void set_limits() noexcept {
  // A crash is a result, not something to dump.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
}

void write_all(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const auto put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno != EINTR) return;
    if (put > 0) text.remove_prefix(static_cast<std::size_t>(put));
  }
}

// The first byte of an answer says what the rest is.
constexpr char result_mark = 'R';
constexpr char usage_mark = 'U';
constexpr char internal_mark = 'I';

// Readable when either of two descriptors is, or has hung up.
unique_fd either(int one, int other) noexcept {
  unique_fd both(::epoll_create1(EPOLL_CLOEXEC));
  for (const int fd : {one, other}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(both.get(), EPOLL_CTL_ADD, fd, &event);
  }
  return both;
}

// When the guardian dies, so must all that the worker has forked. The init of a process namespace
// takes everybody with it; any other worker must live long enough to look for them itself.
unique_fd stops_with(int guardian, int stop_fd) noexcept {
  if (::getpid() == 1) ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return either(guardian, stop_fd);
}

[[noreturn]] void be_worker(const std::function<std::string(const worker_context&)>& work,
                            worker_context context, int guardian, int answer_fd) noexcept {
  const auto stop = stops_with(guardian, context.stop_fd);
  context.stop_fd = stop.get();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  forget_signal_handlers();
  execution::furnish_namespaces(context.world);
  pin_to_one_cpu();
  set_limits();
  std::string answer;
  try {
    answer = result_mark + work(context);
  } catch (const usage_error& e) {
    answer = std::string(1, usage_mark) + e.what();
  } catch (const std::exception& e) {
    answer = std::string(1, internal_mark) + e.what();
  } catch (...) {
    answer = std::string(1, internal_mark) + "an exception that is no std::exception";
  }
  execution::kill_and_reap_descendants();
  std::fflush(nullptr);
  write_all(answer_fd, answer);
  ::_exit(0);
}

[[noreturn]] void give_up(int answer_fd, const std::string& why) noexcept {
  write_all(answer_fd, internal_mark + why);
  ::_exit(1);
}

std::string cannot_fork(int error) {
  return fmt::format(
      "cannot fork a worker: {}. Is a limit on processes too low (ulimit -u, pids.max)?",
      std::strerror(error));
}

// Waits for the worker; when told to stop, not for ever.
[[noreturn]] void be_guardian(pid_t worker, int stop_fd) noexcept {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, worker, 0));
  std::array<pollfd, 2> events{pollfd{pidfd, POLLIN, 0}, pollfd{stop_fd, POLLIN, 0}};
  while (::poll(events.data(), events.size(), -1) < 0 && errno == EINTR) continue;
  if (events[0].revents == 0 && ::poll(events.data(), 1, farewell_ms) == 0) ::kill(worker, SIGKILL);
  int status = 0;
  while (::waitpid(worker, &status, 0) < 0 && errno == EINTR) continue;
  execution::kill_and_reap_descendants();  // orphans of a worker that was killed
  ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 65536> buffer;  // NOLINT: filled by read
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// The wait status of the guardian, which ends with 128 + n if the worker died of signal n.
int wait_for(pid_t guardian) {
  int status = 0;
  while (::waitpid(guardian, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

std::string describe(int signal) {
  return fmt::format("signal {} ({})", signal, ::strsignal(signal));
}

// Why there is no answer.
std::string fate_of_worker(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("Forkloom's guardian process was killed by {}; the campaign is lost",
                       describe(WTERMSIG(status)));
  const int code = WEXITSTATUS(status);
  if (code == 128 + SIGKILL && interrupting_signal() != 0)
    return fmt::format(
        "told to stop, the scenario's worker did not, and was killed after {} s; is there a loop "
        "in the scenario's body or in finally?",
        farewell_ms / 1'000);
  if (code == 128 + SIGKILL)
    return fmt::format(
        "the scenario's worker was killed by {}, by somebody or by the kernel for want of memory; "
        "run it again",
        describe(SIGKILL));
  if (code > 128)
    return fmt::format(
        "the scenario's worker died of {}, in the scenario's body or in finally, not in one of its "
        "processes",
        describe(code - 128));
  if (code == detail::body_limit::exit_code)
    return "the scenario's body or finally() took more real time than ten hang limits; does it "
           "loop, or wait for what a process still holds?";
  return fmt::format(
      "the scenario's worker ended with exit code {} before it had a result; does the scenario's "
      "body call exit()?",
      code);
}

std::string open_answer(const std::string& answer, int status) {
  if (answer.empty() || WIFSIGNALED(status)) throw internal_error(fate_of_worker(status));
  auto rest = answer.substr(1);
  if (answer.front() == usage_mark) throw usage_error(rest);
  if (answer.front() == internal_mark) throw internal_error(rest);
  return rest;
}

// Between the caller and the worker; see above.
[[noreturn]] void guard(const std::function<std::string(const worker_context&)>& work,
                        unique_fd& answers, int stop_fd) noexcept {
  ::setsid();  // the terminal's signals are for the caller, who passes on what is meant
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  forget_signal_handlers();
  const unique_fd myself(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  const worker_context context{execution::leave_namespaces(), stop_fd};
  const auto worker = ::fork();
  if (worker == 0) be_worker(work, context, myself.get(), answers.get());
  if (worker < 0) give_up(answers.get(), cannot_fork(errno));
  answers.reset();
  be_guardian(worker, stop_fd);
}

}  // namespace

int interrupting_signal() noexcept { return caught_signal.load(); }

std::string run_in_worker(const std::function<std::string(const worker_context&)>& work) {
  auto answers = make_pipe();
  auto stop = make_pipe();
  std::fflush(nullptr);
  const auto guardian = ::fork();
  if (guardian < 0) throw internal_error(cannot_fork(errno));
  if (guardian == 0) {
    answers.read.reset();
    stop.write.reset();
    guard(work, answers.write, stop.read.get());
  }
  answers.write.reset();
  stop.read.reset();
  const int stop_write =
      ::fcntl(stop.write.get(), F_DUPFD_CLOEXEC, 0);  // NOLINT: fcntl is variadic
  stop.write.reset();
  std::string answer;
  int status = 0;
  {
    const signal_guard guard(stop_write);
    answer = read_all(answers.read.get());
    status = wait_for(guardian);
  }
  return open_answer(answer, status);
}

}  // namespace forkloom::explore
