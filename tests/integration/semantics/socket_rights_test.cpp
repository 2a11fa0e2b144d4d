// What travels in messages besides bytes: descriptors and credentials (unix(7)).
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <csignal>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

constexpr std::size_t control_room = 128;

// A message of one byte with descriptors, or with room for some.
struct letter {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) std::array<char, control_room> control{};
  msghdr message{};

  letter() {
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  letter(const letter&) = delete;
  letter& operator=(const letter&) = delete;

  void enclose(std::initializer_list<int> descriptors) {
    byte = 'd';
    const auto bytes = descriptors.size() * sizeof(int);
    message.msg_controllen = CMSG_SPACE(bytes);
    auto* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(c), descriptors.begin(), bytes);
  }

  // The number of that descriptor here; -1 if it did not come.
  [[nodiscard]] int descriptor(std::size_t at = 0) {
    auto* c = CMSG_FIRSTHDR(&message);
    if (c == nullptr || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len < CMSG_LEN((at + 1) * sizeof(int)))
      return -1;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(c) + at * sizeof(int), sizeof fd);
    return fd;
  }
};

// Sends a descriptor that nobody has any more when it comes.
long give_away(int socket, int descriptor) {
  letter out;
  out.enclose({descriptor});
  const auto sent = sendmsg(socket, &out.message, 0);
  close(descriptor);
  return sent;
}

int take(int socket) {
  letter in;
  return recvmsg(socket, &in.message, 0) == 1 ? in.descriptor() : -1;
}

}  // namespace

TEST_CASE("the end of a pipe travels to a process that did not have it") {
  const auto seen = both<streams>({
      [](streams& w) {
        std::array<int, 2> ends{};
        static_cast<void>(pipe(ends.data()));
        letter out;
        out.enclose({ends[1]});
        w.note(0, sendmsg(w.one, &out.message, 0));
        close(ends[1]);
        w.note(1, read_one(ends[0]));
        w.note(2, read_one(ends[0]));
        close(ends[0]);
      },
      [](streams& w) {
        letter in;
        w.note(3, recvmsg(w.other, &in.message, 0));
        const auto end = in.descriptor();
        w.note(4, end >= 0);
        w.note(5, write(end, "x", 1));
        close(end);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 'x');
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 1);
}

TEST_CASE("an end of a connection travels, and its peer hears who has it now") {
  const auto seen = both<packets>({
      [](packets& w) {
        std::array<int, 2> ends{};
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data());
        letter out;
        out.enclose({ends[1]});
        sendmsg(w.one, &out.message, 0);
        close(ends[1]);
        w.note(0, receive_one(ends[0]));
        send_text(ends[0], "y");
        w.note(1, receive_one(ends[0]));
        close(ends[0]);
      },
      [](packets& w) {
        letter in;
        recvmsg(w.other, &in.message, MSG_CMSG_CLOEXEC);
        const auto end = in.descriptor();
        w.note(2, fcntl(end, F_GETFD));
        send_text(end, "x");
        w.note(3, receive_one(end));
        close(end);
      },
  });
  CHECK(seen[0] == 'x');
  CHECK(seen[1] == 0);
  CHECK(seen[2] == FD_CLOEXEC);
  CHECK(seen[3] == 'y');
}

TEST_CASE("several descriptors travel together; those without room are closed, and that is told") {
  const auto seen = both<datagrams>({[](datagrams& w) {
    letter out;
    out.enclose({w.one, w.one});
    w.note(0, sendmsg(w.one, &out.message, 0));
    w.note(1, sendmsg(w.one, &out.message, 0));
    letter in;
    w.note(2, recvmsg(w.other, &in.message, 0));
    w.note(3, in.descriptor(0) >= 0 && in.descriptor(1) >= 0);
    close(in.descriptor(0));
    close(in.descriptor(1));
    letter short_of_room;
    short_of_room.message.msg_controllen = CMSG_LEN(sizeof(int));
    w.note(4, recvmsg(w.other, &short_of_room.message, 0));
    w.note(5, short_of_room.message.msg_flags & MSG_CTRUNC);
    w.note(6, short_of_room.descriptor(1));
    close(short_of_room.descriptor(0));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == MSG_CTRUNC);
  CHECK(seen[6] == -1);
}

TEST_CASE("descriptors that are not open cannot travel") {
  const auto seen = both<streams>({[](streams& w) {
    letter out;
    out.enclose({unseen(-1)});
    w.note_error(0, sendmsg(w.one, &out.message, 0));
    w.note(1, receive_one(w.other, MSG_DONTWAIT));
  }});
  CHECK(seen[0] == EBADF);
  CHECK(seen[1] == -EAGAIN);
}

TEST_CASE("SO_PASSCRED tells which process has sent") {
  struct world : streams {
    std::atomic<pid_t> sender{0};
  };
  const auto seen = both<world>({
      [](world& w) {
        const int on = 1;
        setsockopt(w.one, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        w.next_call_waits();
        letter in;
        w.note(0, recvmsg(w.one, &in.message, 0));
        w.call_has_ended();
        auto* c = CMSG_FIRSTHDR(&in.message);
        w.note(1, c != nullptr && c->cmsg_type == SCM_CREDENTIALS);
        ucred who{};
        if (c != nullptr) std::memcpy(&who, CMSG_DATA(c), sizeof who);
        w.note(2, who.pid == w.sender);
        w.note(3, who.uid == getuid());
      },
      [](world& w) {
        w.sender = getpid();
        w.await_waiter();
        send_text(w.other, "x");
        w.await_its_end();
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("MSG_WAITALL stops behind a message with descriptors") {
  const auto seen = both<streams>({
      [](streams& w) {
        letter out;
        out.enclose({w.one});
        sendmsg(w.one, &out.message, 0);
        send_text(w.one, "x");
      },
      [](streams& w) {
        letter in;
        std::array<char, 2> bytes{};
        in.part = {bytes.data(), bytes.size()};
        w.note(0, recvmsg(w.other, &in.message, MSG_WAITALL));
        w.note(1, in.descriptor() >= 0);
        w.note(2, receive_one(w.other));
        close(in.descriptor());
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 'x');
}

TEST_CASE("a timer goes on while it travels to a process that did not have it") {
  const auto seen = both<streams>({
      [](streams& w) {
        const auto first = timerfd_create(CLOCK_MONOTONIC, 0);
        const auto second = timerfd_create(CLOCK_MONOTONIC, 0);
        itimerspec soon{};
        soon.it_value.tv_nsec = 5'000'000;
        timerfd_settime(second, 0, &soon, nullptr);
        w.note(0, give_away(w.one, first));
        w.note(1, give_away(w.one, second));
      },
      [](streams& w) {
        const auto first = take(w.other);
        const auto second = take(w.other);
        pollfd one{second, POLLIN, 0};
        w.note(2, poll(&one, 1, -1));
        std::uint64_t count = 0;
        w.note(3, read(second, &count, sizeof count));
        w.note(4, static_cast<long>(count));
        itimerspec left{};
        w.note_error(5, timerfd_gettime(first, &left));
        w.note(6, left.it_value.tv_nsec);
        close(first);
        close(second);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 8);
  CHECK(seen[4] == 1);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 0);
}

TEST_CASE("an event counter keeps its count while it travels") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.note(0, give_away(w.one, eventfd(7, EFD_NONBLOCK)));
        w.note(1, give_away(w.one, eventfd(0, EFD_NONBLOCK)));
      },
      [](streams& w) {
        const auto first = take(w.other);
        const auto second = take(w.other);
        eventfd_t value = 0;
        w.note_error(2, eventfd_read(first, &value));
        w.note(3, static_cast<long>(value));
        w.note_error(4, eventfd_read(second, &value));
        close(first);
        close(second);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 7);
  CHECK(seen[4] == EAGAIN);
}

TEST_CASE("an epoll that travels still watches what its maker added") {
  const auto seen = both<streams>({
      [](streams& w) {
        const auto event = eventfd(0, 0);
        const auto epoll = epoll_create1(0);
        epoll_event wish{};
        wish.events = EPOLLIN;
        wish.data.u64 = 42;
        epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wish);
        w.note(0, give_away(w.one, epoll));
        w.await_waiter();
        eventfd_write(event, 1);
        w.await_its_end();
        close(event);
      },
      [](streams& w) {
        const auto epoll = take(w.other);
        epoll_event found{};
        w.next_call_waits();
        w.note(1, epoll_wait(epoll, &found, 1, -1));
        w.call_has_ended();
        w.note(2, static_cast<long>(found.data.u64));
        close(epoll);
      },
  });
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 42);
}
