// Faults of transfers in parts: the first bytes of the parts are moved, and nothing else.
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tests/integration/faults/campaign.hpp"
#include "tests/integration/faults/ends.hpp"

using namespace forkloom;
using namespace forkloom::faults_test;

namespace {

constexpr std::size_t long_text = 10'000;  // more than PIPE_BUF

// None of its bytes is 0.
template <std::size_t Size>
std::array<char, Size> text() {
  std::array<char, Size> made{};
  for (std::size_t i = 0; i < Size; ++i) made[i] = static_cast<char>(1 + i % 100);
  return made;
}

// Parts of unequal size, one of them empty.
std::array<iovec, 4> in_parts(char* begin, std::size_t size) {
  const auto first = size / 3;
  const auto second = (size - first) / 2;
  return {{{begin, first},
           {begin, 0},
           {begin + first, second},
           {begin + first + second, size - first - second}}};
}

using mover = ssize_t (*)(int fd, const iovec* parts, int count);

msghdr message_of(const iovec* parts, int count) {
  msghdr made{};
  made.msg_iov = const_cast<iovec*>(parts);  // NOLINT: as sendmsg() wants it
  made.msg_iovlen = static_cast<std::size_t>(count);
  return made;
}

ssize_t send_message(int fd, const iovec* parts, int count) {
  const auto message = message_of(parts, count);
  return ::sendmsg(fd, &message, 0);
}

ssize_t send_messages(int fd, const iovec* parts, int count) {
  mmsghdr one{.msg_hdr = message_of(parts, count), .msg_len = 0};
  return ::sendmmsg(fd, &one, 1, 0) == 1 ? static_cast<ssize_t>(one.msg_len) : -1;
}

ssize_t receive_message(int fd, const iovec* parts, int count) {
  auto message = message_of(parts, count);
  const auto got = ::recvmsg(fd, &message, 0);
  expect(message.msg_iov == parts && that(message.msg_iovlen) == static_cast<std::size_t>(count));
  return got;
}

ssize_t receive_messages(int fd, const iovec* parts, int count) {
  mmsghdr one{.msg_hdr = message_of(parts, count), .msg_len = 0};
  return ::recvmmsg(fd, &one, 1, 0, nullptr) == 1 ? static_cast<ssize_t>(one.msg_len) : -1;
}

ssize_t read_with_flags(int fd, const iovec* parts, int count) {
  return ::preadv2(fd, parts, count, -1, 0);
}

ssize_t write_with_flags(int fd, const iovec* parts, int count) {
  return ::pwritev2(fd, parts, count, -1, 0);
}

template <class Ends>
struct line : Ends {
  int sends = 0;
  int receives = 0;
};

template <class Line, mover Send>
void send_all(Line& w) {
  auto bytes = text<long_text>();
  for (std::size_t sent = 0; sent < bytes.size(); ++w.sends) {
    const auto parts = in_parts(bytes.data() + sent, bytes.size() - sent);
    const auto more = Send(w.out(), parts.data(), parts.size());
    expect(more > 0);
    sent += static_cast<std::size_t>(more);
  }
}

template <class Line, mover Receive>
void receive_all(Line& w) {
  std::array<char, long_text> room{};
  for (std::size_t got = 0; got < room.size(); ++w.receives) {
    const auto parts = in_parts(room.data() + got, room.size() - got);
    const auto more = Receive(w.in(), parts.data(), parts.size());
    expect(more > 0);
    got += static_cast<std::size_t>(more);
    expect(std::all_of(room.begin() + static_cast<long>(got), room.end(),
                       [](char c) { return c == 0; }));
  }
  expect(room == text<long_text>());
}

// Either call may be cut short, and a loop around it moves all.
template <class Ends, mover Send, mover Receive>
void goes_in_parts() {
  using wire = line<Ends>;
  const std::vector<void (*)(wire&)> bodies{send_all<wire, Send>, receive_all<wire, Receive>};
  harmless<wire>(with("partial:3"), bodies, [](wire&) {});
  CHECK(comes_to<wire>(with("partial:1"), bodies, [](wire& w) { expect(that(w.sends) == 1); }));
  CHECK(comes_to<wire>(with("partial:1"), bodies,
                       [](wire& w) { expect(w.sends > 1 || that(w.receives) == 1); }));
}

using streams = sockets<SOCK_STREAM>;

}  // namespace

TEST_CASE("writev and readv of a pipe may move a part, and the rest follows", "[faults]") {
  goes_in_parts<ends, ::writev, ::readv>();
}

TEST_CASE("pwritev2 and preadv2 of a pipe may move a part, and the rest follows", "[faults]") {
  goes_in_parts<ends, write_with_flags, read_with_flags>();
}

TEST_CASE("writev and readv of a stream socket may move a part, and the rest follows", "[faults]") {
  goes_in_parts<streams, ::writev, ::readv>();
}

TEST_CASE("sendmsg and recvmsg may move a part of a stream, and the rest follows", "[faults]") {
  goes_in_parts<streams, send_message, receive_message>();
}

TEST_CASE("sendmmsg and recvmmsg may move a part of a stream, and the rest follows", "[faults]") {
  goes_in_parts<streams, send_messages, receive_messages>();
}

TEST_CASE("the first byte, half, all but one or all of the parts may pass", "[faults]") {
  struct sent : streams {
    ssize_t bytes = 0;
  };
  const auto comes_to_another = [](void (*judge)(sent&)) {
    return comes_to<sent>(with("partial:1"), {[](sent& w) {
                            auto bytes = text<100>();
                            const auto parts = in_parts(bytes.data(), bytes.size());
                            w.bytes = ::writev(w.out(), parts.data(), parts.size());
                          }},
                          judge);
  };
  CHECK(comes_to_another([](sent& w) { expect(that(w.bytes) != 1); }));
  CHECK(comes_to_another([](sent& w) { expect(that(w.bytes) != 50); }));
  CHECK(comes_to_another([](sent& w) { expect(that(w.bytes) != 99); }));
  CHECK(comes_to_another([](sent& w) { expect(that(w.bytes) != 100); }));
  CHECK_FALSE(comes_to_another(
      [](sent& w) { expect(w.bytes == 1 || w.bytes == 50 || w.bytes == 99 || w.bytes == 100); }));
}

namespace {

constexpr std::size_t short_text = 100;

template <class Ends, mover Send, mover Receive>
void goes_whole() {
  const auto result = explored<Ends>(
      with("partial:2"),
      {[](Ends& w) {
         auto bytes = text<short_text>();
         const auto parts = in_parts(bytes.data(), bytes.size());
         expect(that(Send(w.out(), parts.data(), parts.size())) == long{short_text});
       },
       [](Ends& w) {
         std::array<char, short_text> room{};
         const auto parts = in_parts(room.data(), room.size());
         expect(that(Receive(w.in(), parts.data(), parts.size())) == long{short_text});
         expect(room == text<short_text>());
       }},
      [](Ends&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

ssize_t receive_all_parts(int fd, const iovec* parts, int count) {
  auto message = message_of(parts, count);
  return ::recvmsg(fd, &message, MSG_WAITALL);
}

// A single byte cannot be cut.
ssize_t send_byte_by_byte(int fd, const iovec* parts, int count) {
  ssize_t sent = 0;
  for (int i = 0; i < count; ++i)
    for (std::size_t at = 0; at < parts[i].iov_len; ++at)
      sent += ::send(fd, static_cast<char*>(parts[i].iov_base) + at, 1, 0);
  return sent;
}

}  // namespace

TEST_CASE("a datagram in parts goes and comes whole", "[faults]") {
  goes_whole<sockets<SOCK_DGRAM>, send_message, receive_message>();
  goes_whole<sockets<SOCK_DGRAM>, send_messages, receive_messages>();
  goes_whole<sockets<SOCK_DGRAM>, ::writev, ::readv>();
}

TEST_CASE("a record of a sequence of packets goes and comes whole", "[faults]") {
  goes_whole<sockets<SOCK_SEQPACKET>, send_message, receive_message>();
  goes_whole<sockets<SOCK_SEQPACKET>, ::writev, ::readv>();
}

TEST_CASE("parts of no more than PIPE_BUF bytes in all go through a pipe whole", "[faults]") {
  goes_whole<ends, ::writev, ::readv>();
  goes_whole<ends, write_with_flags, read_with_flags>();
}

TEST_CASE("who asks a stream socket for all of the parts gets all of them", "[faults]") {
  goes_whole<streams, send_byte_by_byte, receive_all_parts>();
}

TEST_CASE("urgent data is not cut", "[faults]") {
  const auto result = explored<streams>(
      with("partial:1"), {[](streams& w) {
        const auto bytes = text<short_text>();
        expect(that(::send(w.out(), bytes.data(), bytes.size(), MSG_OOB)) == long{short_text});
      }},
      [](streams&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("a pipe of packets is not cut", "[faults]") {
  struct packets : ends {
    packets() {
      for (const int end : of) ::close(end);
      expect(that(::pipe2(of.data(), O_DIRECT)) == 0);
    }
  };
  using wire = line<packets>;
  const auto result = explored<wire>(with("partial:1"), {send_all<wire, ::writev>}, [](wire&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("descriptors go and come with the first part", "[faults]") {
  union rights {
    std::array<char, CMSG_SPACE(sizeof(int))> bytes;
    cmsghdr aligned;
  };
  struct passing : streams {
    std::size_t sent = 0;
    std::size_t got = 0;
  };
  const auto send = [](passing& w) {
    auto bytes = text<short_text>();
    const auto parts = in_parts(bytes.data(), bytes.size());
    auto message = message_of(parts.data(), parts.size());
    rights control{};
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    auto* first = CMSG_FIRSTHDR(&message);
    first->cmsg_level = SOL_SOCKET;
    first->cmsg_type = SCM_RIGHTS;
    first->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(first), &w.of[1], sizeof(int));
    const auto some = ::sendmsg(w.out(), &message, 0);
    expect(some > 0);
    w.sent = static_cast<std::size_t>(some);
    while (w.sent < bytes.size()) {
      const auto more = ::write(w.out(), bytes.data() + w.sent, bytes.size() - w.sent);
      expect(more > 0);
      w.sent += static_cast<std::size_t>(more);
    }
  };
  const auto receive = [](passing& w) {
    std::array<char, short_text> room{};
    while (w.got < room.size()) {
      const auto parts = in_parts(room.data() + w.got, room.size() - w.got);
      auto message = message_of(parts.data(), parts.size());
      rights control{};
      message.msg_control = control.bytes.data();
      message.msg_controllen = control.bytes.size();
      const auto more = ::recvmsg(w.in(), &message, 0);
      expect(more > 0);
      auto* first = CMSG_FIRSTHDR(&message);
      expect((first != nullptr) == (w.got == 0));
      w.got += static_cast<std::size_t>(more);
      if (first == nullptr) continue;
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(first), sizeof descriptor);
      expect(that(::close(descriptor)) == 0);
    }
    expect(room == text<short_text>());
  };
  harmless<passing>(with("partial:2"), {send, receive}, [](passing&) {});
}

TEST_CASE("a message that goes in part is the last one of a sendmmsg", "[faults]") {
  struct several : streams {
    int messages = 0;
    std::size_t sent = 0;
  };
  const auto send_two = [](several& w) {
    auto bytes = text<short_text>();
    constexpr auto half = short_text / 2;
    const auto one = in_parts(bytes.data(), half);
    const auto other = in_parts(bytes.data() + half, half);
    std::array<mmsghdr, 2> both{};
    both[0].msg_hdr = message_of(one.data(), one.size());
    both[1].msg_hdr = message_of(other.data(), other.size());
    w.messages = ::sendmmsg(w.out(), both.data(), both.size(), 0);
    for (int i = 0; i < w.messages; ++i) w.sent += both.at(static_cast<std::size_t>(i)).msg_len;
  };
  const auto receive = [](several& w) {
    std::array<char, short_text> room{};
    ::close(w.out());
    const auto got = ::recv(w.in(), room.data(), room.size(), MSG_WAITALL);
    expect(that(got) == static_cast<long>(w.sent));
    const auto all = text<short_text>();
    expect(std::equal(room.begin(), room.begin() + got, all.begin()));
  };
  const auto how = with("partial:1");
  harmless<several>(how, {send_two, receive}, [](several&) {});
  CHECK(comes_to<several>(how, {send_two, receive},
                          [](several& w) { expect(that(w.messages) == 2); }));
}

TEST_CASE("of very many parts some pass, and in their order", "[faults]") {
  struct crowd : ends {
    ssize_t written = 0;
  };
  const auto write = [](crowd& w) {  // 9,240 bytes
    ::close(w.in());
    auto bytes = text<10'240>();
    std::array<iovec, IOV_MAX> parts{};  // of which the first ones are empty
    for (std::size_t i = 100; i < parts.size(); ++i) parts[i] = {bytes.data() + 10 * (i - 100), 10};
    w.written = ::writev(w.out(), parts.data(), parts.size());
    expect(w.written > 0);
  };
  const auto read = [](crowd& w) {
    ::close(w.out());
    const auto all = text<10'240>();
    std::array<char, 10'240> room{};
    std::size_t got = 0;
    for (ssize_t more = 1; more > 0; got += static_cast<std::size_t>(more))
      more = ::read(w.in(), room.data() + got, room.size() - got);
    expect(std::equal(room.begin(), room.begin() + static_cast<long>(got), all.begin()));
  };
  harmless<crowd>(with("partial:2"), {write, read},
                  [](crowd& w) { expect(w.written == 9'240 || faults_happened("partial") > 0); });
}

TEST_CASE("parts that the kernel refuses are refused as ever", "[faults]") {
  struct refused : streams {
    std::array<int, 2> pipe{};
    refused() { expect(that(::pipe(pipe.data())) == 0); }
    refused(const refused&) = delete;
    refused& operator=(const refused&) = delete;
    ~refused() {
      for (const int end : pipe) ::close(end);
    }
  };
  const auto ask = [](refused& w) {
    const auto error_of = [](ssize_t result) { return result < 0 ? errno : 0; };
    volatile std::uintptr_t no_place = 8;  // the compiler would refuse it, too
    const auto* nowhere = reinterpret_cast<const iovec*>(no_place);  // NOLINT: as an address
    const auto* no_message = reinterpret_cast<const msghdr*>(nowhere);
    auto bytes = text<10>();
    volatile int negative = -1;
    for (const int fd : {w.out(), w.pipe[1]}) {
      char byte = 0;
      const std::array<iovec, 2> too_long{{{&byte, 1}, {&byte, std::size_t{SSIZE_MAX} + 1}}};
      std::array<iovec, IOV_MAX + 1> too_many{};
      too_many.fill({bytes.data(), bytes.size()});
      expect(that(error_of(::writev(fd, nowhere, 2))) == EFAULT);
      expect(that(error_of(::writev(fd, nowhere, negative))) == EINVAL);
      expect(that(error_of(::writev(fd, nowhere, IOV_MAX + 1))) == EINVAL);
      expect(that(error_of(::writev(fd, too_long.data(), 2))) == EINVAL);
      expect(that(error_of(::writev(fd, too_many.data(), too_many.size()))) == EINVAL);
    }
    expect(that(error_of(::sendmsg(w.out(), no_message, 0))) == EFAULT);
    expect(that(::send(w.out(), "a", 1, 0)) == 1);
    expect(that(error_of(::recvmsg(w.in(), const_cast<msghdr*>(no_message), 0))) == EFAULT);
    expect(that(error_of(::readv(w.in(), nowhere, 2))) == EFAULT);
  };
  const auto result = explored<refused>(with("partial:1"), {ask}, [](refused&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}
