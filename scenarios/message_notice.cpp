// A receiver that is told of messages by a signal: mq_notify(3).
//
// Only a message that comes to an empty queue is told of. Broken: the receiver takes one message
// each time, and two may have come by then. Correct: it asks to be told again first, and then takes
// all that there are.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <unistd.h>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr int messages = 2;

sigset_t notices() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return set;
}

void ask_for_notice(mqd_t queue) {
  sigevent how{};
  how.sigev_notify = SIGEV_SIGNAL;
  how.sigev_signo = SIGUSR1;
  expect(that(mq_notify(queue, &how)) == 0);
}

bool take_one(mqd_t queue) {
  char text = 0;
  const bool taken = mq_receive(queue, &text, 1, nullptr) >= 0;
  if (!taken) expect(that(errno) == EAGAIN);
  return taken;
}

void receive(mqd_t queue, bool takes_all) {
  const auto set = notices();
  for (int taken = 0; taken < messages;) {
    expect(that(sigwaitinfo(&set, nullptr)) == SIGUSR1);
    ask_for_notice(queue);
    while (take_one(queue)) {
      ++taken;
      if (!takes_all) break;
    }
  }
}

void send_and_receive(forkloom::scenario& scenario, bool takes_all) {
  mq_attr attributes{};
  attributes.mq_maxmsg = messages;
  attributes.mq_msgsize = 1;
  const auto queue = mq_open("/orders", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &attributes);
  mq_unlink("/orders");
  auto& ready = scenario.shared<int>("ready", 0);
  scenario.process("receiver", [&, queue, takes_all] {
    const auto set = notices();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    ask_for_notice(queue);
    ready = 1;
    receive(queue, takes_all);
  });
  scenario.process("sender", [&, queue] {
    while (ready == 0) usleep(10);
    for (int i = 0; i < messages; ++i) expect(that(mq_send(queue, "x", 1, 0)) == 0);
  });
  scenario.finally([queue] { mq_close(queue); });
}

}  // namespace

FORKLOOM_SCENARIO("a receiver that takes one message at each notice",
                  "[message_queue][signal][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  send_and_receive(scenario, false);
}

FORKLOOM_SCENARIO("a receiver that takes all messages at each notice",
                  "[message_queue][signal][correct]") {
  send_and_receive(scenario, true);
}
