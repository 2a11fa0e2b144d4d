// Two processes send each other more than a pipe holds. If both write all before they read, both
// wait for room that only the other could make (pipe(7), "Pipe capacity").
#include <cstddef>
#include <string>

#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr std::size_t capacity = 65'536;  // Linux's default
constexpr std::size_t message = capacity + 4'096;

}  // namespace

FORKLOOM_SCENARIO("a pipe ping-pong that writes all before it reads", "[pipe][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  forkloom::ipc::pipe there;
  forkloom::ipc::pipe back;
  const auto talk = [](forkloom::ipc::pipe& out, forkloom::ipc::pipe& in) {
    out.writer().write_all(std::string(message, 'x'));
    forkloom::expect(in.reader().read_exactly(message).size() == message);
  };
  scenario.process("ping", [&] { talk(there, back); });
  scenario.process("pong", [&] { talk(back, there); });
}

FORKLOOM_SCENARIO("a pipe ping-pong that answers what it has read", "[pipe][correct]") {
  forkloom::ipc::pipe there;
  forkloom::ipc::pipe back;
  scenario.process("ping", [&] {
    there.writer().write_all(std::string(message, 'x'));
    forkloom::expect(back.reader().read_exactly(message).size() == message);
  });
  scenario.process("pong", [&] {
    forkloom::expect(there.reader().read_exactly(message).size() == message);
    back.writer().write_all(std::string(message, 'y'));
  });
}
