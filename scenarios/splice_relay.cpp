// splice() moves what is there, not what was asked for (splice(2)). A relay that splices once
// passes on whatever had been written by then.
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

const std::string letter = "dear reader";

enum class splices { once, until_the_end };

struct post {
  forkloom::ipc::pipe to_relay;
  forkloom::ipc::pipe to_reader;

  void relay(splices how) {
    auto& in = to_relay.reader();
    auto& out = to_reader.writer();
    ssize_t moved = 0;
    do
      moved = ::splice(in.native_handle(), nullptr, out.native_handle(), nullptr, letter.size(), 0);
    while (how == splices::until_the_end && moved > 0);
    expect(moved >= 0);
  }

  void open(forkloom::scenario& scenario, splices how) {
    scenario.process("writer", [this] {
      auto& out = to_relay.writer();
      to_reader.read_end().close();
      to_reader.write_end().close();
      out.write_all(letter.substr(0, 5));
      out.write_all(letter.substr(5));
    });
    scenario.process("relay", [this, how] { relay(how); });
    scenario.process("reader", [this] {
      to_relay.read_end().close();
      to_relay.write_end().close();
      // To the end of the data: a relay that splices into a pipe without a reader is killed.
      expect(that(to_reader.reader().read_exactly(letter.size() + 1)) == letter);
    });
  }
};

}  // namespace

FORKLOOM_SCENARIO("a relay that splices once", "[splice][expectation][broken]",
                  .expects = {violation_kind::expectation, violation_kind::crash}) {
  post p;
  p.open(scenario, splices::once);
}

FORKLOOM_SCENARIO("a relay that splices until the end", "[splice][correct]") {
  post p;
  p.open(scenario, splices::until_the_end);
}
