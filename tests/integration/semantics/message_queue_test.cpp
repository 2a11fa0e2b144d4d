// POSIX message queues: what is sent, received, refused and seen of them.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string>

#include "tests/integration/semantics/peers.hpp"
#include "tests/integration/semantics/queues.hpp"

namespace {

using namespace forkloom::semantics;

// A deadline that has passed, and one that nobody reaches.
constexpr timespec long_past{.tv_sec = 1, .tv_nsec = 0};
constexpr timespec far_future{.tv_sec = 4'000'000'000, .tv_nsec = 0};

constexpr long ns_per_s = 1'000'000'000;

timespec real_time() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

timespec in_2_ms() {
  auto then = real_time();
  then.tv_nsec += 2'000'000;
  if (then.tv_nsec >= ns_per_s) ++then.tv_sec, then.tv_nsec -= ns_per_s;
  return then;
}

timespec an_hour_after(timespec then) {
  then.tv_sec += 3600;
  return then;
}

bool has_come(const timespec& then) {
  const auto now = real_time();
  return now.tv_sec != then.tv_sec ? now.tv_sec > then.tv_sec : now.tv_nsec >= then.tv_nsec;
}

}  // namespace

TEST_CASE("a receiver of an empty queue waits until a message comes") {
  const auto seen = both<queued>({
      [](queued& w) {
        w.next_call_waits();
        w.note(0, w.receive());
        w.call_has_ended();
      },
      [](queued& w) {
        w.await_waiter();
        w.note_error(1, w.send("a", 3));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'a' * 100 + 3);
  CHECK(seen[1] == 0);
}

TEST_CASE("a sender to a full queue waits until a message is taken") {
  const auto seen = both<queued>({
      [](queued& w) {
        w.fill();
        w.next_call_waits();
        w.note_error(0, w.send("c"));
        w.call_has_ended();
        w.note(1, w.messages());
      },
      [](queued& w) {
        w.await_waiter();
        w.note(2, w.receive());
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 2);
  CHECK(seen[2] == 'x' * 100);
}

TEST_CASE("the highest priority is received first, and the oldest message of it") {
  const auto seen = both<queued>({[](queued& w) {
    const auto queue = w.another(4);
    w.send_to(queue, "a", 1);
    w.send_to(queue, "b", 5);
    w.send_to(queue, "c", 1);
    w.send_to(queue, "d", 5);
    for (std::size_t i = 0; i < 4; ++i) w.note(i, w.receive_from(queue));
  }});
  CHECK(seen[0] == 'b' * 100 + 5);
  CHECK(seen[1] == 'd' * 100 + 5);
  CHECK(seen[2] == 'a' * 100 + 1);
  CHECK(seen[3] == 'c' * 100 + 1);
}

TEST_CASE("a message has its size, also if that is zero, and a receiver need not ask for more") {
  const auto seen = both<queued>({[](queued& w) {
    std::array<char, queued::message_size> text{};
    w.note_error(0, mq_send(w.queue, "four", 4, 0));
    w.note(1, mq_receive(w.queue, text.data(), text.size(), nullptr));
    w.note(2, text[3]);
    w.note_error(3, mq_send(w.queue, "", 0, 0));
    w.note(4, mq_receive(w.queue, text.data(), text.size(), nullptr));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 4);
  CHECK(seen[2] == 'r');
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 0);
}

TEST_CASE("a buffer that is too small says EMSGSIZE at once, and the message stays") {
  const auto seen = both<queued>({[](queued& w) {
    std::array<char, queued::message_size - 1> small{};
    w.note_error(0, mq_receive(w.queue, small.data(), small.size(), nullptr));
    w.send("a");
    w.note_error(1, mq_receive(w.queue, small.data(), small.size(), nullptr));
    w.note(2, w.messages());
  }});
  CHECK(seen[0] == EMSGSIZE);
  CHECK(seen[1] == EMSGSIZE);
  CHECK(seen[2] == 1);
}

TEST_CASE("a message that is too long, or too urgent, is refused even by a full queue") {
  const auto seen = both<queued>({[](queued& w) {
    const std::string text(queued::message_size + 1, 'x');
    w.fill();
    w.note_error(0, mq_send(w.queue, text.data(), text.size(), 0));
    w.note_error(1, mq_send(w.queue, "x", 1, unseen(32'768U)));
    w.note_error(2, mq_timedsend(w.queue, "x", 1, unseen(32'768U), &long_past));
  }});
  CHECK(seen[0] == EMSGSIZE);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
}

TEST_CASE("a descriptor serves only for what it was opened for") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    const auto in = w.make(O_RDONLY);
    const auto out = w.open(O_WRONLY);
    char byte = 0;
    w.note_error(0, mq_send(in, "x", 1, 0));
    w.note_error(1, mq_receive(out, &byte, 1, nullptr));
    w.note_error(2, mq_send(out, "x", 1, 0));
    w.note(3, mq_receive(in, &byte, 1, nullptr));
  }});
  CHECK(seen[0] == EBADF);
  CHECK(seen[1] == EBADF);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
}

TEST_CASE("what is no queue is refused by every call") {
  const auto seen = both<queued>({[](queued& w) {
    std::array<int, 2> ends{};
    pipe(ends.data());
    std::size_t slot = 0;
    mq_attr attributes{};
    for (const int fd : {-1, 4000, ends[1]}) {
      char byte = 0;
      w.note_error(slot++, mq_send(fd, "x", 1, 0));
      w.note_error(slot++, mq_receive(fd, &byte, 1, nullptr));
      w.note_error(slot++, mq_timedsend(fd, "x", 1, 0, &long_past));
      w.note_error(slot++, mq_getattr(fd, &attributes));
      w.note_error(slot++, mq_setattr(fd, &attributes, nullptr));
      w.note_error(slot++, mq_notify(fd, nullptr));
    }
    w.note_error(slot, mq_close(-1));
  }});
  for (std::size_t i = 0; i <= 18; ++i) CHECK(seen[i] == EBADF);
}

TEST_CASE("a queue that does not block says EAGAIN when it is empty or full") {
  const auto seen = both<queued>({[](queued& w) {
    w.do_not_block();
    w.note_error(0, w.receive_error());
    w.note_error(1, mq_timedreceive(w.queue, w.text.data(), w.text.size(), nullptr, &far_future));
    w.fill();
    w.note_error(2, w.send("c"));
    w.note_error(3, mq_timedsend(w.queue, "c", 1, 0, &far_future));
  }});
  for (std::size_t i = 0; i < 4; ++i) CHECK(seen[i] == EAGAIN);
}

TEST_CASE("a timed call that would wait ends with ETIMEDOUT at its deadline") {
  const auto seen = both<queued>({[](queued& w) {
    w.note_error(0, mq_timedreceive(w.queue, w.text.data(), w.text.size(), nullptr, &long_past));
    auto until = in_2_ms();
    w.note_error(1, mq_timedreceive(w.queue, w.text.data(), w.text.size(), nullptr, &until));
    w.note(2, has_come(until) && !has_come(an_hour_after(until)));
    w.fill();
    w.note_error(3, mq_timedsend(w.queue, "c", 1, 0, &long_past));
    until = in_2_ms();
    w.note_error(4, mq_timedsend(w.queue, "c", 1, 0, &until));
    w.note(5, has_come(until) && !has_come(an_hour_after(until)));
  }});
  for (const std::size_t slot : {0, 1, 3, 4}) CHECK(seen[slot] == ETIMEDOUT);
  CHECK(seen[2] == 1);
  CHECK(seen[5] == 1);
}

TEST_CASE("a timed call that need not wait does not mind that its deadline has passed") {
  const auto seen = both<queued>({[](queued& w) {
    w.note_error(0, mq_timedsend(w.queue, "a", 1, 7, &long_past));
    unsigned priority = 0;
    w.note(1, mq_timedreceive(w.queue, w.text.data(), w.text.size(), &priority, &long_past));
    w.note(2, priority);
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 7);
}

TEST_CASE("a timed receiver gets a message that comes before its deadline") {
  const auto seen = both<queued>({
      [](queued& w) {
        w.next_call_waits();
        w.note(0, mq_timedreceive(w.queue, w.text.data(), w.text.size(), nullptr, &far_future));
        w.call_has_ended();
      },
      [](queued& w) {
        w.await_waiter();
        w.send("a");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
}

// POSIX asks for EINVAL only where the call would wait; Linux always looks at the time first.
TEST_CASE("a time that is none is refused by Linux whether or not the call would wait") {
  const auto seen = both<queued>({[](queued& w) {
    const timespec too_many{.tv_sec = 1, .tv_nsec = 1'000'000'000};
    const timespec negative{.tv_sec = -1, .tv_nsec = 0};
    for (const auto* bad : {&too_many, &negative}) {
      const std::size_t slot = bad == &too_many ? 0 : 4;
      w.note_error(slot, mq_timedreceive(w.queue, w.text.data(), w.text.size(), nullptr, bad));
      w.note_error(slot + 1, mq_timedsend(w.queue, "a", 1, 0, bad));
      w.fill();
      w.note_error(slot + 2, mq_timedsend(w.queue, "a", 1, 0, bad));
      w.note(slot + 3, w.messages());
    }
  }});
  for (const std::size_t first : {0, 4}) {
    for (std::size_t i = 0; i < 3; ++i) CHECK(seen[first + i] == EINVAL);
    CHECK(seen[first + 3] == 2);
  }
}

TEST_CASE("who waits already goes on waiting when the descriptor is made to block no more") {
  const auto seen = both<queued>({
      [](queued& w) {
        w.next_call_waits();
        w.note(0, w.receive());
        w.call_has_ended();
        w.note_error(1, w.receive_error());
      },
      [](queued& w) {
        w.await_waiter();
        w.do_not_block();
        // A death lets whoever waits look again, and the nap gives it the time.
        const auto child = fork();
        if (child == 0) _exit(0);
        waitpid(child, nullptr, 0);
        usleep(1000);
        w.send("a");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 'a' * 100);
  CHECK(seen[1] == EAGAIN);
}

TEST_CASE("one of two receivers gets the message, and the other goes on waiting") {
  const auto receive_one = [](queued& w) {
    w.receive();
    ++w.received;
  };
  const auto seen = both<queued>({
      receive_one,
      receive_one,
      [](queued& w) {
        w.send("a");
        while (w.received == 0) usleep(1000);
        w.note(0, w.received);
        w.send("b");
        while (w.received == 1) usleep(1000);
        w.note(1, w.received);
        w.note(2, w.messages());
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 2);
  CHECK(seen[2] == 0);
}

TEST_CASE("messages of a sender arrive in order through a queue that is shorter than they are") {
  const auto seen = both<queued>({
      [](queued& w) {
        for (const char* text : {"a", "b", "c", "d", "e", "f"}) w.send(text);
      },
      [](queued& w) {
        for (std::size_t i = 0; i < 6; ++i) w.note(i, w.receive() / 100);
      },
  });
  for (std::size_t i = 0; i < 6; ++i) CHECK(seen[i] == 'a' + static_cast<long>(i));
}

TEST_CASE("the attributes are those of the making, and count the messages") {
  const auto seen = both<queued>({[](queued& w) {
    mq_attr is{};
    w.send("a");
    w.note_error(0, mq_getattr(w.queue, &is));
    w.note(1, is.mq_maxmsg);
    w.note(2, is.mq_msgsize);
    w.note(3, is.mq_curmsgs);
    w.note(4, is.mq_flags);
    mq_attr wanted{};
    wanted.mq_flags = O_NONBLOCK;
    wanted.mq_maxmsg = 5;
    w.note_error(5, mq_setattr(w.queue, &wanted, &is));
    w.note(6, is.mq_flags);
    mq_getattr(w.queue, &is);
    w.note(7, is.mq_flags);
    w.note(8, is.mq_maxmsg);
    wanted.mq_flags = O_APPEND;
    w.note_error(9, mq_setattr(w.queue, &wanted, nullptr));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 2);
  CHECK(seen[2] == queued::message_size);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
  CHECK(seen[7] == O_NONBLOCK);
  CHECK(seen[8] == 2);
  CHECK(seen[9] == EINVAL);
}

TEST_CASE("O_NONBLOCK belongs to the open description, which a fork shares and an open does not") {
  const auto seen = both<queue_name>({[](queue_name& w) {
    const auto queue = w.make(O_RDWR);
    const auto other = w.open(O_RDWR);
    const auto child = fork();
    if (child == 0) {
      mq_attr wanted{};
      wanted.mq_flags = O_NONBLOCK;
      mq_setattr(queue, &wanted, nullptr);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
    mq_attr is{};
    mq_getattr(queue, &is);
    w.note(0, is.mq_flags);
    mq_getattr(other, &is);
    w.note(1, is.mq_flags);
  }});
  CHECK(seen[0] == O_NONBLOCK);
  CHECK(seen[1] == 0);
}
