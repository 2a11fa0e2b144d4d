// Masks, and what waits behind them: order, number and values.
#include "tests/integration/semantics/signals.hpp"

namespace {

using forkloom::semantics::block;
using forkloom::semantics::both;
using forkloom::semantics::set_of;
using forkloom::semantics::signalled;
using forkloom::semantics::unblock;

bool is_pending(int signal) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

// Three of one signal at once; then one that comes again while its handler runs.
void fail_after_deliveries(forkloom::scenario& scenario) {
  scenario.process("queue", [] {
    static int handled;
    signal(SIGRTMIN, [](int) { ++handled; });
    signal(SIGUSR1, [](int number) {
      if (++handled < 5) raise(number);
    });
    block({SIGRTMIN});
    for (int i = 0; i < 3; ++i) sigqueue(getpid(), SIGRTMIN, {});
    unblock({SIGRTMIN});
    raise(SIGUSR1);
    forkloom::expect(forkloom::that(handled) == 0);
  });
  scenario.finally([] {});
}

}  // namespace

TEST_CASE("standard signals that are blocked become one, real-time ones queue with their values") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        w.on(SIGUSR1, SA_SIGINFO);
        w.on(SIGRTMIN, SA_SIGINFO);
        block({SIGUSR1, SIGUSR2, SIGRTMIN});
        w.next_call_waits();
        const auto other = set_of({SIGUSR2});
        sigwaitinfo(&other, nullptr);
        unblock({SIGUSR1, SIGRTMIN});
        w.note(0, static_cast<long>(w.handled));
        long order = 0;
        for (std::size_t i = 0; i < w.handled; ++i)
          if (w.log[i].signal == SIGRTMIN) order = 10 * order + w.log[i].value;
        w.note(1, order);
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        for (int i = 0; i < 3; ++i) kill(to, SIGUSR1);
        for (int i = 1; i <= 3; ++i) sigqueue(to, SIGRTMIN, sigval{.sival_int = i});
        kill(to, SIGUSR2);
      },
  });
  CHECK(seen[0] == 4);
  CHECK(seen[1] == 123);
}

TEST_CASE("signals come in the order of their numbers from a wait, and in order of sending") {
  const auto seen = both<signalled>({[](signalled& w) {
    const auto all = set_of({SIGRTMIN, SIGRTMIN + 1, SIGUSR1});
    sigprocmask(SIG_BLOCK, &all, nullptr);
    sigqueue(getpid(), SIGRTMIN + 1, sigval{.sival_int = 1});
    sigqueue(getpid(), SIGRTMIN, sigval{.sival_int = 2});
    sigqueue(getpid(), SIGRTMIN, sigval{.sival_int = 3});
    sigqueue(getpid(), SIGUSR1, sigval{.sival_int = 4});
    for (std::size_t i = 0; i < 4; ++i) {
      siginfo_t info{};
      w.note(2 * i, sigwaitinfo(&all, &info) == info.si_signo);
      w.note(2 * i + 1, info.si_value.sival_int);
    }
  }});
  for (const std::size_t i : {0, 2, 4, 6}) CHECK(seen[i] == 1);
  CHECK(seen[1] == 4);
  CHECK(seen[3] == 2);
  CHECK(seen[5] == 3);
  CHECK(seen[7] == 1);
}

TEST_CASE("each delivery is an event, be it of one signal that is queued or of one in a handler") {
  forkloom::scenario_info info{.name = "deliveries",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body = fail_after_deliveries,
                               .defaults = {}};
  info.defaults.executions = 1;
  info.defaults.expects = {forkloom::violation_kind::expectation};
  const auto result = forkloom::explore::run_campaign(info, info.defaults);
  INFO(result.message);
  REQUIRE(result.how == forkloom::explore::verdict::as_expected);
  const auto& what = result.findings.at(0).what_happened;
  std::vector<std::string> delivered;
  for (const auto& e : what.events)
    if (e.op == forkloom::operation::signal_deliver)
      delivered.push_back(what.resource_name(e.resource));
  CHECK(delivered == std::vector<std::string>{"SIGRTMIN+0 of queue", "SIGRTMIN+0 of queue",
                                              "SIGRTMIN+0 of queue", "SIGUSR1 of queue",
                                              "SIGUSR1 of queue"});
}

TEST_CASE("sigpending tells what is blocked and has come") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1);
    block({SIGUSR1});
    w.note(0, is_pending(SIGUSR1));
    raise(SIGUSR1);
    w.note(1, is_pending(SIGUSR1));
    w.note(2, is_pending(SIGUSR2));
    unblock({SIGUSR1});
    w.note(3, is_pending(SIGUSR1));
    w.note(4, static_cast<long>(w.handled));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
}

TEST_CASE("a mask is read back as it was set, without what cannot be blocked") {
  const auto seen = both<signalled>({[](signalled& w) {
    const auto set = set_of({SIGUSR1, SIGKILL, SIGSTOP});
    sigset_t before;
    w.note_error(0, sigprocmask(SIG_SETMASK, &set, &before));
    w.note(1, sigismember(&before, SIGUSR1));
    sigset_t now;
    w.note(2, pthread_sigmask(SIG_BLOCK, nullptr, &now));
    w.note(3, sigismember(&now, SIGUSR1));
    w.note(4, sigismember(&now, SIGKILL) + sigismember(&now, SIGSTOP) + sigismember(&now, SIGUSR2));
    w.note_error(5, sigprocmask(99, &set, nullptr));
    w.note(6, pthread_sigmask(99, &set, nullptr));
    unblock({SIGUSR1});
    sigprocmask(SIG_BLOCK, nullptr, &now);
    w.note(7, sigismember(&now, SIGUSR1));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == EINVAL);
  CHECK(seen[6] == EINVAL);
  CHECK(seen[7] == 0);
}

TEST_CASE("a signal that was sent while it was ignored does not come when it is caught") {
  const auto seen = both<signalled>({
      [](signalled& w) {
        signal(SIGUSR1, SIG_IGN);
        w.receive();
        block({SIGUSR2});
        w.next_call_waits();
        const auto other = set_of({SIGUSR2});
        sigwaitinfo(&other, nullptr);
        w.on(SIGUSR1);
        w.note(0, static_cast<long>(w.handled));
      },
      [](signalled& w) {
        const auto to = w.await_waiting_receiver();
        w.note_error(1, kill(to, SIGUSR1));
        kill(to, SIGUSR2);
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
}

TEST_CASE("signals that are let in one by one find their handlers in the order of numbers") {
  const auto seen = both<signalled>({[](signalled& w) {
    w.on(SIGUSR1, 0, SIGUSR2);
    w.on(SIGUSR2, 0, SIGUSR1);
    block({SIGUSR1, SIGUSR2});
    raise(SIGUSR2);
    raise(SIGUSR1);
    unblock({SIGUSR1, SIGUSR2});
    w.note(0, w.log[0].signal);
    w.note(1, w.log[1].signal);
  }});
  CHECK(seen[0] == SIGUSR1);
  CHECK(seen[1] == SIGUSR2);
}
