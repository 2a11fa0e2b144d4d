// A POSIX message queue, which processes find by its name: mq_overview(7).
//
// Process-safety: the handle belongs to the process that made it, and to those forked from it; do
// not put it into shared memory. The queue behind it is everybody's.
#pragma once

#include <fcntl.h>
#include <mqueue.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "forkloom/ipc/error.hpp"

namespace forkloom::ipc {

class message_queue {
 public:
  // How much fits; see "/proc interfaces" in mq_overview(7) for the system's bounds.
  struct limits {
    long messages_max = 10;
    long message_bytes_max = 8192;
  };

  struct message {
    std::string text;
    unsigned priority = 0;
  };

  // What the handle is for. Using it otherwise throws EBADF.
  enum class access : int {
    receive = O_RDONLY,
    send = O_WRONLY,
    both = O_RDWR,
  };

  // Makes the queue, which must not exist, and opens it to send and receive; anybody of the same
  // user may open it. name: "/orders".
  // Throws std::system_error: EEXIST, EACCES, EINVAL, EMFILE, … (mq_open(3)).
  [[nodiscard]] static message_queue create(const std::string& name, limits room) {
    mq_attr attributes{};
    attributes.mq_maxmsg = room.messages_max;
    attributes.mq_msgsize = room.message_bytes_max;
    return message_queue(name,
                         ::mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600, &attributes));
  }
  [[nodiscard]] static message_queue create(const std::string& name) {
    return create(name, limits());
  }

  // Opens a queue that exists. Throws std::system_error: ENOENT, EACCES, EINVAL (mq_open(3)).
  [[nodiscard]] static message_queue open(const std::string& name, access what = access::both) {
    return message_queue(name, ::mq_open(name.c_str(), static_cast<int>(what)));
  }

  // Removes the name. Who has the queue open keeps it; it goes with the last of them.
  // Throws std::system_error: ENOENT, EACCES (mq_unlink(3)).
  static void unlink(const std::string& name) {
    check_call(::mq_unlink(name.c_str()), "unlinking the message queue " + name);
  }

  message_queue(const message_queue&) = delete;
  message_queue& operator=(const message_queue&) = delete;
  ~message_queue() { ::mq_close(queue_); }  // closes; does not unlink

  // Puts a message behind all of the same priority; waits while the queue is full.
  // priority: below MQ_PRIO_MAX; the highest is received first.
  // Throws std::system_error: EMSGSIZE, EINVAL, EBADF, EINTR.
  void send(std::string_view text, unsigned priority = 0) {
    check_call(::mq_send(queue_, text.data(), text.size(), priority), sending());
  }

  // The same if there is room; never waits. True if it did.
  [[nodiscard]] bool try_send(std::string_view text, unsigned priority = 0) {
    const timespec long_past{};
    return done(::mq_timedsend(queue_, text.data(), text.size(), priority, &long_past), sending());
  }

  // Takes the oldest message of the highest priority; waits while the queue is empty.
  // Throws std::system_error: EBADF, EINTR.
  [[nodiscard]] message receive() {
    message got{.text = std::string(room_, '\0')};
    const auto size = check_call(
        ::mq_receive(queue_, got.text.data(), got.text.size(), &got.priority), receiving());
    got.text.resize(static_cast<std::size_t>(size));
    return got;
  }

  // The same if there is a message; never waits. True if it did; otherwise `into` is as it was.
  [[nodiscard]] bool try_receive(message& into) {
    message got{.text = std::string(room_, '\0')};
    const timespec long_past{};
    const auto size =
        ::mq_timedreceive(queue_, got.text.data(), got.text.size(), &got.priority, &long_past);
    if (!done(size, receiving())) return false;
    got.text.resize(static_cast<std::size_t>(size));
    into = std::move(got);
    return true;
  }

  // The real descriptor, for mq_getattr(3), poll(2) and whatever else there is. It stays the
  // handle's.
  [[nodiscard]] mqd_t native_handle() const noexcept { return queue_; }

 private:
  message_queue(std::string name, mqd_t queue) : name_(std::move(name)), queue_(queue) {
    if (queue_ == -1) fail(errno, "opening the message queue " + name_);
    mq_attr attributes{};
    ::mq_getattr(queue_, &attributes);
    room_ = static_cast<std::size_t>(attributes.mq_msgsize);
  }

  // A descriptor that is O_NONBLOCK says EAGAIN, any other ETIMEDOUT, instead of waiting.
  static bool done(long result, const std::string& doing) {
    if (result == -1 && errno != ETIMEDOUT && errno != EAGAIN) fail(errno, doing);
    return result != -1;
  }

  [[nodiscard]] std::string sending() const { return "sending to the message queue " + name_; }
  [[nodiscard]] std::string receiving() const {
    return "receiving from the message queue " + name_;
  }

  std::string name_;
  mqd_t queue_;
  std::size_t room_ = 0;  // for the longest message that there can be: mq_receive() demands it
};

}  // namespace forkloom::ipc
