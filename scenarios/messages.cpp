// Messages that are lost or torn: more than PIPE_BUF bytes do not go in one piece (pipe(7)), and
// what is in a queue goes with it (msgctl(2), mq_unlink(3)).
#include <fcntl.h>
#include <limits.h>
#include <sys/msg.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "forkloom/ipc/message_queue.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

// A pipe with room for one page.
struct narrow_pipe {
  std::array<int, 2> ends{};

  narrow_pipe() {
    expect(::pipe(ends.data()) == 0);
    expect(::fcntl(ends[1], F_SETPIPE_SZ, PIPE_BUF) == PIPE_BUF);
  }
  narrow_pipe(const narrow_pipe&) = delete;
  narrow_pipe& operator=(const narrow_pipe&) = delete;
  ~narrow_pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  void write(std::size_t size) const {
    const std::vector<char> record(size, 'r');
    expect(that(::write(ends[1], record.data(), size)) == static_cast<ssize_t>(size));
  }
  void read(std::size_t size) const {
    std::vector<char> record(size);
    for (std::size_t got = 0; got < size;)
      got += static_cast<std::size_t>(::read(ends[0], record.data(), size - got));
  }
};

constexpr std::size_t long_record = PIPE_BUF + 904;
constexpr std::size_t short_record = PIPE_BUF / 2 + 100;

using writer = std::function<void()>;

void declare_log(forkloom::scenario& scenario, const narrow_pipe& log, std::size_t size,
                 const writer& write) {
  scenario.processes("writer", 2, write);
  scenario.process("logger", [&log, size] {
    for (int i = 0; i < 2; ++i) log.read(size);
  });
}

}  // namespace

FORKLOOM_SCENARIO("two writers of records longer than PIPE_BUF", "[pipe][message][broken]",
                  .expects = {violation_kind::message}) {
  const narrow_pipe log;
  declare_log(scenario, log, long_record, [&] { log.write(long_record); });
}

FORKLOOM_SCENARIO("two writers of records shorter than PIPE_BUF", "[pipe][message][correct]") {
  const narrow_pipe log;
  declare_log(scenario, log, short_record, [&] { log.write(short_record); });
}

FORKLOOM_SCENARIO("two writers of long records under a mutex", "[pipe][message][correct]") {
  const narrow_pipe log;
  auto& lock = scenario.make<forkloom::ipc::mutex>("log lock");
  declare_log(scenario, log, long_record, [&] {
    const std::scoped_lock guard{lock};
    log.write(long_record);
  });
}

namespace {

struct letter {
  long type = 1;
  char text = '?';
};

void post(int letters) {
  const letter one;
  ::msgsnd(letters, &one, sizeof one.text, 0);
}

void fetch(int letters) {
  letter one;
  ::msgrcv(letters, &one, sizeof one.text, 0, 0);
}

}  // namespace

FORKLOOM_SCENARIO("a letter box that is taken down after the first letter",
                  "[system_v][message][broken]", .expects = {violation_kind::message}) {
  const int letters = ::msgget(IPC_PRIVATE, 0600);
  scenario.processes("sender", 2, [=] { post(letters); });
  scenario.process("clerk", [=] {
    fetch(letters);
    ::msgctl(letters, IPC_RMID, nullptr);
  });
}

FORKLOOM_SCENARIO("a letter box that is taken down after the last letter",
                  "[system_v][message][correct]") {
  const int letters = ::msgget(IPC_PRIVATE, 0600);
  scenario.processes("sender", 2, [=] { post(letters); });
  scenario.process("clerk", [=] {
    fetch(letters);
    fetch(letters);
    ::msgctl(letters, IPC_RMID, nullptr);
  });
}
