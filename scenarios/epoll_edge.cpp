// An edge-triggered epoll tells once of data that has come. Who does not read all of it there and
// then is not told of the rest (epoll(7), "Level-triggered and edge-triggered").
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <string>

#include "forkloom/ipc/pipe.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;
using forkloom::ipc::stream_end;

namespace {

constexpr int request_count = 2;

struct counter {
  forkloom::ipc::pipe requests;
  forkloom::ipc::pipe replies;

  void order() {
    auto& out = requests.writer();
    for (int i = 0; i < request_count; ++i) out.write_all("?");
    expect(that(replies.reader().read_exactly(request_count)) == std::string("!!"));
  }

  // take: answers what has come, and says how many requests that were.
  template <class Take>
  void serve(Take take) {
    auto& in = requests.reader();
    auto& out = replies.writer();
    ::fcntl(in.native_handle(), F_SETFL, O_NONBLOCK);
    const stream_end epoll(::epoll_create1(0));
    epoll_event what{};
    what.events = EPOLLIN | EPOLLET;
    expect(that(::epoll_ctl(epoll.native_handle(), EPOLL_CTL_ADD, in.native_handle(), &what)) == 0);
    for (int served = 0; served < request_count;) {
      expect(that(::epoll_wait(epoll.native_handle(), &what, 1, -1)) == 1);
      served += take(in, out);
    }
  }
};

int answer_one(stream_end& in, stream_end& out) {
  char request = 0;
  if (::read(in.native_handle(), &request, 1) != 1) return 0;
  out.write_all("!");
  return 1;
}

int answer_all(stream_end& in, stream_end& out) {
  int count = 0;
  while (answer_one(in, out) == 1) ++count;
  return count;
}

}  // namespace

FORKLOOM_SCENARIO("an edge-triggered server that reads one request a time",
                  "[epoll][deadlock][broken]", .expects = {violation_kind::deadlock}) {
  counter c;
  scenario.process("client", [&] { c.order(); });
  scenario.process("server", [&] { c.serve(answer_one); });
}

FORKLOOM_SCENARIO("an edge-triggered server that reads until nothing is left", "[epoll][correct]") {
  counter c;
  scenario.process("client", [&] { c.order(); });
  scenario.process("server", [&] { c.serve(answer_all); });
}
