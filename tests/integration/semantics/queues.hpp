// Worlds for bodies that meet at a POSIX message queue.
#pragma once

#include <fcntl.h>
#include <mqueue.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <string>

#include "tests/integration/semantics/peers.hpp"

namespace forkloom::semantics {

// The name of a queue that no other run of the tests has.
struct queue_name : notes, appointment {
  std::array<char, 64> name{};

  queue_name() {
    const auto text = "/forkloom-semantics-" + std::to_string(::getpid());
    text.copy(name.data(), name.size() - 1);
  }
  queue_name(const queue_name&) = delete;
  queue_name& operator=(const queue_name&) = delete;
  ~queue_name() { ::mq_unlink(name.data()); }

  // For that many messages of that many bytes.
  mqd_t make(int flags, long messages = 2, long bytes = 1) const {
    mq_attr attributes{};
    attributes.mq_maxmsg = messages;
    attributes.mq_msgsize = bytes;
    return ::mq_open(name.data(), O_CREAT | flags, 0600, &attributes);
  }
  [[nodiscard]] mqd_t open(int flags) const { return ::mq_open(name.data(), flags); }
};

// A queue for two messages, without a name; each body begins with a descriptor of it.
struct queued : queue_name {
  static constexpr std::size_t message_size = 16;

  mqd_t queue = -1;
  std::array<char, message_size> text{};
  std::atomic<int> received{0};

  queued() : queue(another(2)) {}
  queued(const queued&) = delete;
  queued& operator=(const queued&) = delete;
  ~queued() { ::mq_close(queue); }

  // One more, for the body that asks for it.
  [[nodiscard]] mqd_t another(long messages) const {
    const auto made = make(O_RDWR, messages, message_size);
    ::mq_unlink(name.data());
    return made;
  }

  // A message that is a character and a priority is told as one number.
  static long receive_from(mqd_t from) {
    std::array<char, message_size> buffer{};
    unsigned priority = 0;
    const auto size = ::mq_receive(from, buffer.data(), buffer.size(), &priority);
    return size < 0 ? -errno : buffer[0] * 100L + priority;
  }
  static int send_to(mqd_t to, const char* what, unsigned priority = 0) {
    return ::mq_send(to, what, std::strlen(what), priority);
  }

  long receive() const { return receive_from(queue); }
  long receive_error() { return ::mq_receive(queue, text.data(), text.size(), nullptr); }
  int send(const char* what, unsigned priority = 0) const { return send_to(queue, what, priority); }

  void fill() const {
    while (messages() < 2) send("x");
  }

  [[nodiscard]] long messages() const {
    mq_attr is{};
    return ::mq_getattr(queue, &is) == 0 ? is.mq_curmsgs : -1;
  }

  void do_not_block() const {
    mq_attr wanted{};
    wanted.mq_flags = O_NONBLOCK;
    ::mq_setattr(queue, &wanted, nullptr);
  }
};

}  // namespace forkloom::semantics
