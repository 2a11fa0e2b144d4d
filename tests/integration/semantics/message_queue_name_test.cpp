// POSIX message queues by their names, and as the descriptors that they are.
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>

#include "tests/integration/semantics/queues.hpp"

// What mq_open() is when its caller was built with _FORTIFY_SOURCE and gave no mode.
extern "C" mqd_t __mq_open_2(const char* name, int flags);  // NOLINT

namespace {

using namespace forkloom::semantics;

short revents(int fd, short wanted, int timeout = 0) {
  pollfd one{fd, wanted, 0};
  return poll(&one, 1, timeout) < 0 ? short{-1} : one.revents;
}

// To be told of the first message without a signal.
int ask_to_be_notified(mqd_t queue) {
  sigevent how{};
  how.sigev_notify = SIGEV_NONE;
  return mq_notify(queue, &how);
}

}  // namespace

TEST_CASE("a queue is made, found, and gone after it was unlinked") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    w.note_error(0, w.open(O_RDWR));
    w.note_error(1, mq_close(w.make(O_RDWR | O_EXCL)));
    w.note_error(2, w.make(O_RDWR | O_EXCL));
    w.note_error(3, mq_close(w.make(O_RDWR)));
    w.note_error(4, mq_close(w.open(O_RDWR)));
    w.note_error(5, mq_unlink(w.name.data()));
    w.note_error(6, mq_unlink(w.name.data()));
    w.note_error(7, w.open(O_RDWR));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EEXIST);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == ENOENT);
  CHECK(seen[7] == ENOENT);
}

TEST_CASE("a queue that is there keeps its attributes when it is made once more") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    w.make(O_RDWR, 2, 8);
    const auto second = w.make(O_RDWR, 5, 100);
    mq_attr is{};
    mq_getattr(second, &is);
    w.note(0, is.mq_maxmsg);
    w.note(1, is.mq_msgsize);
    // Nobody looks at attributes that are not needed, however wrong they are.
    w.note(2, w.make(O_RDWR, -1, -1) >= 0 ? 1 : 0);
  }});
  CHECK(seen[0] == 2);
  CHECK(seen[1] == 8);
  CHECK(seen[2] == 1);
}

TEST_CASE("attributes that cannot be make no queue") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    w.note_error(0, w.make(O_RDWR, 0, 8));
    w.note_error(1, w.make(O_RDWR, 2, 0));
    w.note_error(2, w.make(O_RDWR, -1, 8));
    w.note_error(3, w.open(O_RDWR));
  }});
  for (std::size_t i = 0; i < 3; ++i) CHECK(seen[i] == EINVAL);
  CHECK(seen[3] == ENOENT);
}

TEST_CASE("a name begins with its only slash, and is neither empty nor too long") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    const auto too_long = "/" + std::string(256, 'x');
    std::size_t slot = 0;
    for (const char* name : {"forkloom", "", "/", "/a/b", "//forkloom", "/..", too_long.c_str()}) {
      w.note_error(slot, mq_open(name, O_RDWR | O_CREAT, 0600, nullptr));
      w.note_error(slot + 7, mq_unlink(name));
      ++slot;
    }
  }});
  const std::array<long, 7> refused{EINVAL, EINVAL, ENOENT, EACCES, EACCES, EACCES, ENAMETOOLONG};
  for (std::size_t i = 0; i < refused.size(); ++i) CHECK(seen[i] == refused[i]);
  CHECK(seen[7] == EINVAL);
  CHECK(seen[10] == EACCES);
}

TEST_CASE("an open that was compiled with checks opens a queue that is there") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    w.note_error(0, __mq_open_2(w.name.data(), O_RDWR));
    w.make(O_RDWR);
    const auto queue = __mq_open_2(w.name.data(), O_RDWR);
    w.note_error(1, queue);
    w.note_error(2, mq_send(queue, "x", 1, 0));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("a queue that was unlinked lives as long as somebody has it open") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    const auto old = w.make(O_RDWR);
    mq_send(old, "o", 1, 0);
    mq_unlink(w.name.data());
    const auto fresh = w.make(O_RDWR | O_EXCL);
    w.note_error(0, fresh);
    mq_attr is{};
    mq_getattr(fresh, &is);
    w.note(1, is.mq_curmsgs);
    char byte = 0;
    w.note(2, mq_receive(old, &byte, 1, nullptr));
    w.note(3, byte);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 'o');
}

TEST_CASE("messages stay in a queue that nobody has open") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    const auto first = w.make(O_WRONLY);
    mq_send(first, "x", 1, 9);
    mq_close(first);
    const auto second = w.open(O_RDONLY);
    char byte = 0;
    unsigned priority = 0;
    w.note(0, mq_receive(second, &byte, 1, &priority));
    w.note(1, priority);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 9);
}

TEST_CASE("a child may use the descriptor that it inherited, and close it without harm") {
  const auto seen = both<queued>({[](queued& w) {
    const auto child = fork();
    if (child == 0) {
      w.send("c", 1);
      mq_close(w.queue);
      _exit(w.send("d") == -1 && errno == EBADF ? 7 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    w.note(0, WEXITSTATUS(status));
    w.note(1, w.receive());
    w.note_error(2, w.send("e"));
  }});
  CHECK(seen[0] == 7);
  CHECK(seen[1] == 'c' * 100 + 1);
  CHECK(seen[2] == 0);
}

TEST_CASE("a receiver goes on waiting when the only sender closes the queue") {
  const auto seen = both<queued>({
      [](queued& w) {
        w.next_call_waits();
        w.note(0, w.receive());
        w.call_has_ended();
      },
      [](queued& w) {
        w.await_waiter();
        const auto again = dup(w.queue);
        close(w.queue);
        usleep(1000);
        w.send_to(again, "a");
        mq_close(again);
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'a' * 100);
}

TEST_CASE("close closes a queue, mq_close closes anything, and a copy stays open") {
  const auto seen = both<queued>({[](queued& w) {
    const auto copy = dup(w.queue);
    w.note_error(0, close(w.queue));
    w.note_error(1, w.send("a"));
    w.note_error(2, w.send_to(copy, "a"));
    w.note_error(3, dup2(copy, w.queue) == w.queue ? 0 : -1);
    w.note(4, w.receive());
    w.note_error(5, mq_close(copy));
    w.note_error(6, mq_close(copy));
    std::array<int, 2> ends{};
    pipe(ends.data());
    w.note_error(7, mq_close(ends[1]));
    w.note(8, read_one(ends[0]));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EBADF);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 'a' * 100);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == EBADF);
  CHECK(seen[7] == 0);
  CHECK(seen[8] == 0);
}

TEST_CASE("a queue is readable when it has a message, and writable when it has room") {
  const auto seen = both<queued>({[](queued& w) {
    w.note(0, revents(w.queue, POLLIN | POLLOUT));
    w.send("a");
    w.note(1, revents(w.queue, POLLIN | POLLOUT));
    w.fill();
    w.note(2, revents(w.queue, POLLIN | POLLOUT));
  }});
  CHECK(seen[0] == POLLOUT);
  CHECK(seen[1] == (POLLIN | POLLOUT));
  CHECK(seen[2] == POLLIN);
}

TEST_CASE("a poll of an empty queue waits until a message comes") {
  const auto seen = both<queued>({
      [](queued& w) {
        w.next_call_waits();
        w.note(0, revents(w.queue, POLLIN, -1));
        w.call_has_ended();
        w.note(1, w.receive());
      },
      [](queued& w) {
        w.await_waiter();
        w.send("a");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLIN);
  CHECK(seen[1] == 'a' * 100);
}

TEST_CASE("a poll of a full queue waits until a message is taken") {
  const auto seen = both<queued>({
      [](queued& w) {
        w.fill();
        w.next_call_waits();
        w.note(0, revents(w.queue, POLLOUT, -1));
        w.call_has_ended();
      },
      [](queued& w) {
        w.await_waiter();
        w.receive();
        w.await_its_end();
      },
  });
  CHECK(seen[0] == POLLOUT);
}

TEST_CASE("a poll of a queue that nobody sends to ends with its time-out") {
  const auto seen = both<queued>({[](queued& w) { w.note(0, revents(w.queue, POLLIN, 2)); }});
  CHECK(seen[0] == 0);
}

TEST_CASE("one process at a time is notified, until a message has come or it closes the queue") {
  const auto seen = both<queued>({[](queued& w) {
    const auto copy = dup(w.queue);
    w.note_error(0, ask_to_be_notified(w.queue));
    w.note_error(1, ask_to_be_notified(w.queue));
    w.send("a");
    w.note_error(2, ask_to_be_notified(w.queue));
    w.note_error(3, mq_notify(w.queue, nullptr));
    w.note_error(4, ask_to_be_notified(w.queue));
    mq_close(copy);
    w.note_error(5, ask_to_be_notified(w.queue));
    sigevent unknown{};
    unknown.sigev_notify = unseen(77);
    w.note_error(6, mq_notify(w.queue, &unknown));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EBUSY);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == EINVAL);
}

TEST_CASE("a signal that is held back tells of the message, with its code") {
  const auto seen = both<queued>({[](queued& w) {
    sigset_t held{};
    sigaddset(&held, SIGUSR1);
    sigprocmask(SIG_BLOCK, &held, nullptr);
    sigevent how{};
    how.sigev_notify = SIGEV_SIGNAL;
    how.sigev_signo = SIGUSR1;
    how.sigev_value.sival_int = 5;
    w.note_error(0, mq_notify(w.queue, &how));
    w.send("a");
    siginfo_t told{};
    const timespec none{};
    w.note(1, sigtimedwait(&held, &told, &none));
    w.note(2, told.si_code);
    w.note(3, told.si_value.sival_int);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == SIGUSR1);
  CHECK(seen[2] == SI_MESGQ);
  CHECK(seen[3] == 5);
}
