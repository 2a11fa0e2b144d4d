// select() writes what is ready into the sets it was given. Who calls it again with the same sets
// no longer waits for the others (select(2), "Bugs").
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

struct line {
  forkloom::ipc::pipe questions;
  forkloom::ipc::pipe answers;

  void ask() {
    questions.writer().write_all("?");
    expect(that(answers.reader().read_exactly(1)) == std::string("!"));
  }

  void answer(const fd_set& ready) {
    if (!FD_ISSET(questions.read_end().native_handle(), &ready)) return;
    expect(that(questions.read_end().read_exactly(1)) == std::string("?"));
    answers.write_end().write_all("!");
  }
};

enum class sets { made_once, made_anew };

struct switchboard {
  std::array<line, 2> lines;

  [[nodiscard]] fd_set all() {
    fd_set set;
    FD_ZERO(&set);
    for (auto& l : lines) FD_SET(l.questions.read_end().native_handle(), &set);
    return set;
  }

  void serve(sets how) {
    auto set = all();
    const auto end = 1 + std::max(lines[0].questions.read_end().native_handle(),
                                  lines[1].questions.read_end().native_handle());
    for (std::size_t answered = 0; answered < lines.size();) {
      if (how == sets::made_anew) set = all();
      const auto count = ::select(end, &set, nullptr, nullptr, nullptr);
      expect(count > 0);
      for (auto& l : lines) l.answer(set);
      answered += static_cast<std::size_t>(count);
    }
  }

  void open(forkloom::scenario& scenario, sets how) {
    scenario.processes("caller", 2, [this](forkloom::process& self) { lines[self.index()].ask(); });
    scenario.process("operator", [this, how] { serve(how); });
  }
};

}  // namespace

FORKLOOM_SCENARIO("a select with the sets of last time", "[select][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  switchboard board;
  board.open(scenario, sets::made_once);
}

FORKLOOM_SCENARIO("a select with sets made anew", "[select][correct]") {
  switchboard board;
  board.open(scenario, sets::made_anew);
}
