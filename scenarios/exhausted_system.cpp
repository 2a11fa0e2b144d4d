// What the system has no more of: processes, queues, descriptors, memory.
//
// Broken: the call fails, and its caller goes on as if it had not. Correct: the caller does
// without, or tries again.
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;
using forkloom::ipc::semaphore;

FORKLOOM_SCENARIO("a helper that is not there", "[faults][eagain][process][deadlock][broken]",
                  .faults = "eagain:1", .expects = {violation_kind::deadlock}) {
  auto& done = scenario.make<semaphore>("done", 0U);
  scenario.process("master", [&] {
    const auto helper = ::fork();
    if (helper == 0) {
      done.release();
      ::_exit(0);
    }
    done.acquire();
    ::waitpid(helper, nullptr, 0);
  });
}

FORKLOOM_SCENARIO("a master who works alone if need be", "[faults][eagain][process][correct]",
                  .faults = "eagain:1") {
  auto& done = scenario.make<semaphore>("done", 0U);
  scenario.process("master", [&] {
    const auto helper = ::fork();
    if (helper <= 0) done.release();
    if (helper == 0) ::_exit(0);
    done.acquire();
    if (helper > 0) ::waitpid(helper, nullptr, 0);
  });
}

namespace {

constexpr key_t order_key = 1'234;

struct order {
  long type;
  int number;
};

// Whoever comes first makes it.
int queue() {
  const int made = ::msgget(order_key, IPC_CREAT | IPC_EXCL | 0600);
  return made < 0 && errno == EEXIST ? ::msgget(order_key, 0) : made;
}

int queue_at_last() {
  int id = queue();
  while (id < 0) {
    expect(errno == ENOSPC);
    id = queue();
  }
  return id;
}

void send_order(int id) {
  const order one{.type = 1, .number = 7};
  ::msgsnd(id, &one, sizeof one.number, 0);
}

void receive_order() {
  const int id = queue_at_last();
  order one{};
  expect(that(::msgrcv(id, &one, sizeof one.number, 1, 0)) == static_cast<ssize_t>(sizeof(int)));
  ::msgctl(id, IPC_RMID, nullptr);
}

}  // namespace

FORKLOOM_SCENARIO("an order for a queue that could not be made",
                  "[faults][enospc][system_v][deadlock][unchecked][broken]", .faults = "enospc:1",
                  .expects = {violation_kind::deadlock, violation_kind::unchecked_failure}) {
  scenario.process("customer", [] { send_order(queue()); });
  scenario.process("baker", [] { receive_order(); });
}

FORKLOOM_SCENARIO("an order for a queue that is made in the end",
                  "[faults][enospc][system_v][correct]", .faults = "enospc:2") {
  scenario.process("customer", [] { send_order(queue_at_last()); });
  scenario.process("baker", [] { receive_order(); });
}

namespace {

// A listener with a name of its own.
struct shop {
  int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};

  shop() {
    constexpr std::string_view text = "forkloom shop";
    name.sun_family = AF_UNIX;
    text.copy(name.sun_path + 1, sizeof name.sun_path - 1);
    expect(that(::bind(listener, address(), sizeof name)) == 0);
    expect(that(::listen(listener, 4)) == 0);
  }
  shop(const shop&) = delete;
  shop& operator=(const shop&) = delete;
  ~shop() { ::close(listener); }

  [[nodiscard]] const sockaddr* address() const {
    return reinterpret_cast<const sockaddr*>(&name);  // NOLINT: as bind(2) wants it
  }

  void buy() const {
    ::close(listener);
    int fd = -1;
    while ((fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0) expect(errno == EMFILE);
    expect(that(::connect(fd, address(), sizeof name)) == 0);
    char bread = 0;
    expect(that(::recv(fd, &bread, 1, 0)) == 1);
    ::close(fd);
  }

  static void sell(int customer) {
    ::send(customer, "b", 1, MSG_NOSIGNAL);
    ::close(customer);
  }
};

}  // namespace

FORKLOOM_SCENARIO("a server that has no descriptor for its client",
                  "[faults][emfile][socket][expectation][broken]", .faults = "emfile:1",
                  .expects = {violation_kind::expectation}) {
  const shop bakery;
  scenario.process("customer", [&] { bakery.buy(); });
  scenario.process("baker", [&] {
    if (const int customer = ::accept(bakery.listener, nullptr, nullptr); customer >= 0)
      shop::sell(customer);
    ::close(bakery.listener);
  });
}

FORKLOOM_SCENARIO("a server that accepts once more", "[faults][emfile][socket][correct]",
                  .faults = "emfile:2") {
  const shop bakery;
  scenario.process("customer", [&] { bakery.buy(); });
  scenario.process("baker", [&] {
    int customer = -1;
    while ((customer = ::accept(bakery.listener, nullptr, nullptr)) < 0) expect(errno == EMFILE);
    shop::sell(customer);
    ::close(bakery.listener);
  });
}

namespace {

constexpr std::size_t page = 4096;

// A page that a process shares with its children; MAP_FAILED if there is no memory.
int* map_page() {
  return static_cast<int*>(
      ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

}  // namespace

FORKLOOM_SCENARIO("a mapping that nobody looks at", "[faults][enomem][memory][crash][broken]",
                  .faults = "enomem:1", .expects = {violation_kind::crash}) {
  scenario.process("clerk", [] {
    auto* sheet = map_page();
    *sheet = 1;
    ::munmap(sheet, page);
  });
}

FORKLOOM_SCENARIO("a mapping that there may be no memory for", "[faults][enomem][memory][correct]",
                  .faults = "enomem:1") {
  scenario.process("clerk", [] {
    auto* sheet = map_page();
    if (sheet == MAP_FAILED) return;  // NOLINT: libc's macro
    *sheet = 1;
    ::munmap(sheet, page);
  });
}
