// Opening a FIFO waits for the other end. Two processes that open two FIFOs in opposite order wait
// for each other at different ones (fifo(7)).
#include "forkloom/ipc/fifo.hpp"
#include "forkloom/scenario.hpp"

FORKLOOM_SCENARIO("two FIFOs opened in opposite order", "[fifo][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock}) {
  const auto& questions = scenario.make<forkloom::ipc::fifo>("questions", "/dev/shm/questions");
  const auto& answers = scenario.make<forkloom::ipc::fifo>("answers", "/dev/shm/answers");
  scenario.process("client", [&] {
    auto to = questions.open_writer();
    auto from = answers.open_reader();
  });
  scenario.process("server", [&] {
    auto to = answers.open_writer();
    auto from = questions.open_reader();
  });
}

FORKLOOM_SCENARIO("two FIFOs opened in the same order", "[fifo][correct]") {
  const auto& questions = scenario.make<forkloom::ipc::fifo>("questions", "/dev/shm/questions");
  const auto& answers = scenario.make<forkloom::ipc::fifo>("answers", "/dev/shm/answers");
  scenario.process("client", [&] {
    auto to = questions.open_writer();
    auto from = answers.open_reader();
    to.write_all("?");
    forkloom::expect(from.read_exactly(1) == "!");
  });
  scenario.process("server", [&] {
    auto from = questions.open_reader();
    auto to = answers.open_writer();
    forkloom::expect(from.read_exactly(1) == "?");
    to.write_all("!");
  });
}
