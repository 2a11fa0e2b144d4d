// How much a pipe holds is the system's affair: it may have room for the first message only.
//
// Broken: both peers write twice before they read. Correct: one of them reads first.
#include <unistd.h>

#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

namespace {

using forkloom::ipc::stream_end;

void write_twice(stream_end& to) {
  to.write_all("a");
  to.write_all("b");
}

void read_twice(stream_end& from) {
  forkloom::expect(from.read_exactly(1) == "a");
  forkloom::expect(from.read_exactly(1) == "b");
}

}  // namespace

FORKLOOM_SCENARIO("two peers that write twice before they read",
                  "[faults][full][pipe][deadlock][broken]", .faults = "full:2",
                  .expects = {forkloom::violation_kind::deadlock}) {
  forkloom::ipc::pipe there;
  forkloom::ipc::pipe back;
  scenario.process("one", [&] {
    write_twice(there.writer());
    read_twice(back.reader());
  });
  scenario.process("other", [&] {
    write_twice(back.writer());
    read_twice(there.reader());
  });
}

FORKLOOM_SCENARIO("two peers of whom one reads before it writes", "[faults][full][pipe][correct]",
                  .faults = "full:2") {
  forkloom::ipc::pipe there;
  forkloom::ipc::pipe back;
  scenario.process("one", [&] {
    write_twice(there.writer());
    read_twice(back.reader());
  });
  scenario.process("other", [&] {
    read_twice(there.reader());
    write_twice(back.writer());
  });
}
