// A server and its clients on one System V queue: requests have type 1, and the reply to a client
// has a type of its own.
//
// Broken: the clients take whatever comes. One steals the other's reply, or the server's request.
// Correct: everybody takes only the type that is meant for him.
#include <sys/msg.h>

#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr long request_type = 1;
constexpr long any_type = 0;
constexpr unsigned client_count = 2;

struct letter {
  long type;
  long client;
};
constexpr auto content_size = sizeof(letter) - sizeof(long);

class exchange {
 public:
  exchange() : id_(::msgget(IPC_PRIVATE, 0600)) {}
  exchange(const exchange&) = delete;
  ~exchange() { ::msgctl(id_, IPC_RMID, nullptr); }

  void send(letter one) const { expect(that(::msgsnd(id_, &one, content_size, 0)) == 0); }

  [[nodiscard]] letter receive(long type) const {
    letter one{};
    expect(that(::msgrcv(id_, &one, content_size, type, 0)) == ssize_t{content_size});
    return one;
  }

  void serve() const {
    for (unsigned i = 0; i < client_count; ++i) {
      const auto asked = receive(request_type);
      send({reply_type(asked.client), asked.client});
    }
  }

  [[nodiscard]] static long reply_type(long client) { return request_type + 1 + client; }

 private:
  int id_;
};

}  // namespace

FORKLOOM_SCENARIO("a client that takes messages of any type",
                  "[system_v][queue][expectation][broken]",
                  .expects = {violation_kind::expectation, violation_kind::deadlock}) {
  auto& queue = scenario.make<exchange>("exchange");
  scenario.process("server", [&] { queue.serve(); });
  scenario.processes("client", client_count, [&](forkloom::process& self) {
    queue.send({request_type, self.index()});
    expect(that(queue.receive(any_type).type) == exchange::reply_type(self.index()));
  });
}

FORKLOOM_SCENARIO("a client that takes messages of its own type", "[system_v][queue][correct]") {
  auto& queue = scenario.make<exchange>("exchange");
  scenario.process("server", [&] { queue.serve(); });
  scenario.processes("client", client_count, [&](forkloom::process& self) {
    queue.send({request_type, self.index()});
    const auto reply = queue.receive(exchange::reply_type(self.index()));
    expect(that(reply.client) == long{self.index()});
  });
}
