// Bytes may go in parts: a long write to a pipe, and whatever comes through a stream socket.
//
// Broken: one call, and what it says is not looked at. Correct: the rest is asked for, too.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <span>

#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;

namespace {

constexpr std::size_t letter_size = 8192;  // more than PIPE_BUF

std::span<const std::byte> letter() {
  static const std::array<std::byte, letter_size> text{};
  return text;
}

std::size_t read_to_the_end(int fd) {
  std::array<std::byte, letter_size> room{};
  std::size_t count = 0;
  for (;;) {
    const auto got = ::read(fd, room.data(), room.size());
    expect(got >= 0);
    if (got == 0) return count;
    count += static_cast<std::size_t>(got);
  }
}

void receive_letter(forkloom::ipc::pipe& mail) {
  expect(that(read_to_the_end(mail.reader().native_handle())) == letter_size);
}

}  // namespace

FORKLOOM_SCENARIO("a long letter that is written by one call",
                  "[faults][partial][pipe][expectation][broken]", .faults = "partial:1",
                  .expects = {forkloom::violation_kind::expectation}) {
  forkloom::ipc::pipe mail;
  scenario.process("writer", [&] {
    const auto text = letter();
    expect(::write(mail.writer().native_handle(), text.data(), text.size()) > 0);
  });
  scenario.process("reader", [&] { receive_letter(mail); });
}

FORKLOOM_SCENARIO("a long letter that is written until its end", "[faults][partial][pipe][correct]",
                  .faults = "partial:3") {
  forkloom::ipc::pipe mail;
  scenario.process("writer", [&] {
    const auto fd = mail.writer().native_handle();
    for (auto rest = letter(); !rest.empty();) {
      const auto put = ::write(fd, rest.data(), rest.size());
      expect(put > 0);
      rest = rest.subspan(static_cast<std::size_t>(put));
    }
  });
  scenario.process("reader", [&] { receive_letter(mail); });
}

namespace {

// A connection of two processes.
struct line {
  std::array<int, 2> ends{};

  line() { expect(that(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data())) == 0); }
  line(const line&) = delete;
  line& operator=(const line&) = delete;
  ~line() {
    for (const int end : ends) ::close(end);
  }
};

constexpr std::uint64_t order = 0x0123'4567'89ab'cdef;

void send_order(const line& to) {
  for (std::size_t sent = 0; sent < sizeof order;) {
    const auto* from = reinterpret_cast<const char*>(&order);
    const auto put = ::send(to.ends[0], from + sent, sizeof order - sent, 0);
    expect(put > 0);
    sent += static_cast<std::size_t>(put);
  }
}

}  // namespace

FORKLOOM_SCENARIO("a number that is received by one call",
                  "[faults][partial][socket][expectation][broken]", .faults = "partial:1",
                  .expects = {forkloom::violation_kind::expectation}) {
  const line wire;
  scenario.process("sender", [&] { send_order(wire); });
  scenario.process("receiver", [&] {
    std::uint64_t got = 0;
    expect(::recv(wire.ends[1], &got, sizeof got, 0) > 0);
    expect(that(got) == order);
  });
}

FORKLOOM_SCENARIO("a number that is received byte by byte if need be",
                  "[faults][partial][socket][correct]", .faults = "partial:3") {
  const line wire;
  scenario.process("sender", [&] { send_order(wire); });
  scenario.process("receiver", [&] {
    std::uint64_t number = 0;
    auto* to = reinterpret_cast<char*>(&number);
    for (std::size_t got = 0; got < sizeof number;) {
      const auto more = ::recv(wire.ends[1], to + got, sizeof number - got, 0);
      expect(more > 0);
      got += static_cast<std::size_t>(more);
    }
    expect(that(number) == order);
  });
}
