// The buffers that system calls are given: what the kernel reads and writes in shared memory is
// told as an access like any other.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "tests/integration/memory/fixtures/accesses.h"
#include "tests/integration/memory/traced.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using enum operation;
using sort = memory_access::sort;

using area_in_shared_memory = in_shared_memory<area>;

TEST_CASE("buffers in shared memory are read and written by the calls that are given them") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  area_in_shared_memory shared;
  const auto what = trace_of({[&] {
    if (::write(ends[1], &shared->from, 5) != 5) ::_exit(1);
    if (::read(ends[0], &shared->to, sizeof shared->to) != 5) ::_exit(2);
  }});
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK(what.tasks[0].end.code == 0);
  const auto found = accesses_in(what);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == told{load, offsetof(area, from), 5, 0, 0, sort::kernel});
  CHECK(found[1].op == store);
  CHECK(found[1].offset == offsetof(area, to));
  CHECK(found[1].size == 5);
}

// The buffers that a body's calls use, as accesses of `to` and `from`.
struct buffer_use {
  operation op;
  std::size_t offset;
  std::size_t size;
  bool operator==(const buffer_use&) const = default;
};

template <class Body>
std::vector<buffer_use> uses_in(Body body) {
  area_in_shared_memory shared;
  const auto what = trace_of({[&] { body(*shared.get()); }});
  CHECK(what.tasks[0].end.code == 0);
  std::vector<buffer_use> found;
  for (const auto& t : accesses_in(what)) {
    CHECK(t.how == sort::kernel);
    found.push_back({t.op, t.offset, t.size});
  }
  return found;
}

using buffer_uses = std::vector<buffer_use>;
constexpr auto from = offsetof(area, from);
constexpr auto to = offsetof(area, to);

TEST_CASE("the buffers of sockets are read by what sends and written by what receives") {
  const auto found = uses_in([](area& shared) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()) != 0) ::_exit(1);
    if (::send(ends[0], &shared.from, 5, 0) != 5) ::_exit(2);
    if (::recv(ends[1], &shared.to, sizeof shared.to, MSG_PEEK) != 5) ::_exit(3);
    if (::recv(ends[1], &shared.to, sizeof shared.to, 0) != 5) ::_exit(4);
    if (::write(ends[0], &shared.from, 7) != 7) ::_exit(5);
    if (::read(ends[1], &shared.to, sizeof shared.to) != 7) ::_exit(6);
    // A message that is cut is told as long as the room for it.
    if (::send(ends[0], &shared.from, 9, 0) != 9) ::_exit(7);
    if (::recv(ends[1], &shared.to, 3, MSG_TRUNC) != 9) ::_exit(8);
  });
  CHECK(found == buffer_uses{{load, from, 5},
                             {store, to, 5},
                             {store, to, 5},
                             {load, from, 7},
                             {store, to, 7},
                             {load, from, 9},
                             {store, to, 3}});
}

TEST_CASE("of a buffer in parts each is told as far as it was used") {
  const auto found = uses_in([](area& shared) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) ::_exit(1);
    std::array<char, 4> own{};
    std::array<iovec, 3> parts{{{&shared.from, 2}, {own.data(), 4}, {&shared.to, 8}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    if (::sendmsg(ends[0], &message, 0) != 14) ::_exit(2);
    if (::recv(ends[1], own.data(), 4, 0) != 4) ::_exit(3);
    if (::recvmsg(ends[1], &message, 0) != 10) ::_exit(4);
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) ::_exit(5);
    if (::writev(pipe[1], parts.data(), 3) != 14) ::_exit(6);
    if (::readv(pipe[0], parts.data(), 1) != 2) ::_exit(7);
  });
  CHECK(found == buffer_uses{{load, from, 2},
                             {load, to, 8},
                             {store, from, 2},
                             {store, to, 4},
                             {load, from, 2},
                             {load, to, 8},
                             {store, from, 2}});
}

TEST_CASE("the buffers of message queues are told with what belongs to the message") {
  const auto posix = uses_in([](area& shared) {
    mq_attr attributes{};
    attributes.mq_maxmsg = 1;
    attributes.mq_msgsize = 16;
    const auto queue = ::mq_open("/fl_buffers", O_CREAT | O_RDWR, 0600, &attributes);
    ::mq_unlink("/fl_buffers");
    auto* sent = reinterpret_cast<const char*>(&shared.from);
    auto* got = reinterpret_cast<char*>(&shared.to);
    if (::mq_send(queue, sent, 5, 3) != 0) ::_exit(1);
    if (::mq_receive(queue, got, 16, &shared.four) != 5) ::_exit(2);
    if (shared.four != 3) ::_exit(3);
  });
  CHECK(posix == buffer_uses{{load, from, 5}, {store, to, 5}, {store, offsetof(area, four), 4}});

  const auto system_v = uses_in([](area& shared) {
    constexpr long type = 7;
    std::memcpy(&shared.from, &type, sizeof type);
    const auto queue = ::msgget(IPC_PRIVATE, 0600);
    if (::msgsnd(queue, &shared.from, 5, 0) != 0) ::_exit(1);
    if (::msgrcv(queue, &shared.to, 16, 0, 0) != 5) ::_exit(2);
    ::msgctl(queue, IPC_RMID, nullptr);
  });
  CHECK(system_v == buffer_uses{{load, from, sizeof(long) + 5}, {store, to, sizeof(long) + 5}});
}

TEST_CASE("a call that moves nothing, and one that fails, uses no buffer") {
  const auto found = uses_in([](area& shared) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) ::_exit(1);
    if (::recv(ends[1], &shared.to, 4, MSG_DONTWAIT) != -1) ::_exit(2);
    if (::send(ends[0], &shared.from, 0, 0) != 0) ::_exit(3);
    ::close(ends[0]);
    if (::recv(ends[1], &shared.to, 4, 0) != 0) ::_exit(4);
    if (::send(ends[1], &shared.from, 4, MSG_NOSIGNAL) != -1) ::_exit(5);
  });
  CHECK(found.empty());
}

}  // namespace
