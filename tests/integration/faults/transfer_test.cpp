// Faults of transfers: what a call says that it moved is what it has moved, and nothing else.
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/integration/faults/campaign.hpp"
#include "tests/integration/faults/ends.hpp"

using namespace forkloom;
using namespace forkloom::faults_test;

namespace {

constexpr std::size_t long_write = 10'000;  // more than PIPE_BUF
constexpr std::size_t short_write = 100;

struct piped : ends {
  long written = 0;
  long got = 0;
};

struct connected : sockets<SOCK_STREAM> {
  long written = 0;
  long got = 0;
};

template <class World, std::size_t Size>
void write_once(World& w) {
  ::close(w.in());
  const std::array<char, Size> bytes{};
  w.written = ::write(w.out(), bytes.data(), bytes.size());
}

template <class World>
void read_all(World& w) {
  ::close(w.out());
  std::array<char, long_write> room{};
  for (long more = 1; more > 0; w.got += more) {
    more = ::read(w.in(), room.data(), room.size());
    expect(more >= 0);
  }
}

template <class World>
void all_arrived(World& w) {
  expect(w.written > 0);
  expect(that(w.got) == w.written);
}

const auto partial = with("partial:2");

}  // namespace

TEST_CASE("what a write that was cut short says it wrote is what arrives", "[faults]") {
  harmless<piped>(partial, {write_once<piped, long_write>, read_all<piped>}, all_arrived<piped>);
}

TEST_CASE("what a send that was cut short says it sent is what arrives", "[faults]") {
  harmless<connected>(partial, {write_once<connected, short_write>, read_all<connected>},
                      all_arrived<connected>);
}

TEST_CASE("half of a write may pass, one byte, all but one, or all of it", "[faults]") {
  const auto comes_to_length = [](void (*judge)(piped&)) {
    return comes_to<piped>(with("partial:1"), {write_once<piped, long_write>, read_all<piped>},
                           judge);
  };
  static constexpr long all = long_write;
  CHECK(comes_to_length([](piped& w) { expect(that(w.written) != all / 2); }));
  CHECK(comes_to_length([](piped& w) { expect(that(w.written) != 1); }));
  CHECK(comes_to_length([](piped& w) { expect(that(w.written) != all - 1); }));
  CHECK(comes_to_length([](piped& w) { expect(that(w.written) != all); }));
}

TEST_CASE("a send that was cut short does not go on by itself", "[faults]") {
  CHECK(comes_to<connected>(partial, {write_once<connected, short_write>, read_all<connected>},
                            [](connected& w) { expect(that(w.written) == long{short_write}); }));
}

TEST_CASE("a datagram goes and comes whole", "[faults]") {
  using datagrams = sockets<SOCK_DGRAM>;
  const auto result = explored<datagrams>(
      partial,
      {[](datagrams& w) {
         const std::array<char, short_write> bytes{};
         expect(that(::send(w.out(), bytes.data(), bytes.size(), 0)) == long{short_write});
       },
       [](datagrams& w) {
         std::array<char, long_write> room{};
         expect(that(::recv(w.in(), room.data(), room.size(), 0)) == long{short_write});
       }},
      [](datagrams&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("who asks a stream socket for all of the bytes gets all of them", "[faults]") {
  // One byte each, which cannot be cut.
  const auto result = explored<connected>(
      partial,
      {[](connected& w) {
         for (int i = 0; i < 2; ++i) expect(that(::send(w.out(), "a", 1, 0)) == 1);
       },
       [](connected& w) {
         std::array<char, 2> room{};
         expect(that(::recv(w.in(), room.data(), room.size(), MSG_WAITALL)) == 2);
       }},
      [](connected&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("a write to a pipe of no more than PIPE_BUF bytes goes and comes whole", "[faults]") {
  const auto result =
      explored<piped>(partial, {write_once<piped, short_write>, read_all<piped>},
                      [](piped& w) { expect(that(w.written) == static_cast<long>(short_write)); });
  CHECK(result.how == explore::verdict::as_expected);
  REQUIRE(result.faults.size() == 1);
  CHECK(result.faults[0].chances == 0);
}

namespace {

struct attempts : ends {
  int first = 0;
  int second = 0;
};

int error_of(long result) { return result < 0 ? errno : 0; }

}  // namespace

TEST_CASE("a pipe that has no room says EAGAIN to who does not wait, unless it is empty",
          "[faults]") {
  harmless<attempts>(with("full:1"), {[](attempts& w) {
                       ::fcntl(w.out(), F_SETFL, O_NONBLOCK);  // NOLINT: fcntl is variadic
                       w.first = error_of(::write(w.out(), "a", 1));
                       w.second = error_of(::write(w.out(), "b", 1));
                     }},
                     [](attempts& w) {
                       expect(that(w.first) == 0);
                       expect(that(w.second) == (faults_happened("full") == 1 ? EAGAIN : 0));
                     });
}

TEST_CASE("who writes to a pipe without room waits until somebody has read", "[faults]") {
  harmless<attempts>(with("full:1"),
                     {[](attempts& w) {
                        w.first = error_of(::write(w.out(), "a", 1));
                        w.second = error_of(::write(w.out(), "b", 1));
                      },
                      [](attempts& w) {
                        std::array<char, 2> room{};
                        expect(that(::read(w.in(), room.data(), 1)) == 1);
                        expect(that(::read(w.in(), room.data(), 1)) == 1);
                      }},
                     [](attempts& w) {
                       expect(that(w.first) == 0);
                       expect(that(w.second) == 0);
                     });
}

TEST_CASE("who writes to a pipe without room waits for ever if nobody reads", "[faults]") {
  const auto result = explored<attempts>(with("full:1"), {[](attempts& w) {
                                           for (int i = 0; i < 2; ++i)
                                             w.first = error_of(::write(w.out(), "a", 1));
                                         }},
                                         [](attempts& w) { expect(that(w.first) == 0); });
  REQUIRE(result.findings.size() == 1);
  CHECK(result.findings[0].violations.at(0).kind == violation_kind::deadlock);
}

namespace {

struct queue {
  int id = ::msgget(IPC_PRIVATE, 0600);
  int first = 0;
  int second = 0;

  queue() = default;
  queue(const queue&) = delete;
  queue& operator=(const queue&) = delete;
  ~queue() { ::msgctl(id, IPC_RMID, nullptr); }

  [[nodiscard]] int send() const {
    const long type = 1;
    return error_of(::msgsnd(id, &type, 0, IPC_NOWAIT));
  }
};

}  // namespace

TEST_CASE("a System V queue that has no room says EAGAIN to who does not wait", "[faults]") {
  harmless<queue>(with("full:1"), {[](queue& w) {
                    w.first = w.send();
                    w.second = w.send();
                  }},
                  [](queue& w) {
                    expect(that(w.first) == 0);
                    expect(that(w.second) == (faults_happened("full") == 1 ? EAGAIN : 0));
                  });
}

TEST_CASE("who waits for room in a System V queue hears that it is removed", "[faults]") {
  struct removed : queue {
    forkloom::shared<bool> sent{false};
    int error = 0;
  };
  auto how = with("full:1");
  how.checkers = {"expectation", "deadlock", "hang"};
  harmless<removed>(
      how,
      {[](removed& w) {
         const long type = 1;
         for (int i = 0; i < 2 && w.error == 0; ++i)
           w.error = error_of(::msgsnd(w.id, &type, 0, 0));
         w.sent = true;
       },
       [](removed& w) {
         while (faults_happened("full") == 0 && !w.sent) ::sched_yield();
         ::msgctl(w.id, IPC_RMID, nullptr);
       }},
      [](removed& w) { expect(that(w.error) == (faults_happened("full") == 1 ? EIDRM : 0)); });
}

namespace {

// A queue with the attributes that the system gives it, or with room that was asked for.
template <bool Asked>
struct posix_queue {
  mqd_t id;
  int second = 0;

  posix_queue() {
    mq_attr room{};
    room.mq_maxmsg = 2;
    room.mq_msgsize = 1;
    id = ::mq_open("/forkloom-full", O_CREAT | O_RDWR | O_NONBLOCK, 0600, Asked ? &room : nullptr);
    expect(id >= 0);
    ::mq_unlink("/forkloom-full");
  }
  posix_queue(const posix_queue&) = delete;
  posix_queue& operator=(const posix_queue&) = delete;
  ~posix_queue() { ::mq_close(id); }
};

template <class Queue>
void send_twice(Queue& w) {
  expect(that(::mq_send(w.id, "a", 1, 0)) == 0);
  w.second = error_of(::mq_send(w.id, "b", 1, 0));
}

}  // namespace

TEST_CASE("a message queue has the room that was asked for", "[faults]") {
  using sized = posix_queue<true>;
  const auto result = explored<sized>(with("full:1"), {send_twice<sized>},
                                      [](sized& w) { expect(that(w.second) == 0); });
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("a message queue of the system's size may be full before", "[faults]") {
  using unsized = posix_queue<false>;
  harmless<unsized>(with("full:1"), {send_twice<unsized>}, [](unsized& w) {
    expect(that(w.second) == (faults_happened("full") == 1 ? EAGAIN : 0));
  });
}
