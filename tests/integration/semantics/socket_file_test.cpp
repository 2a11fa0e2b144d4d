// Files and pipes that are sent through sockets: sendfile and splice.
#include <sys/mman.h>
#include <sys/sendfile.h>

#include <vector>

#include "tests/integration/semantics/sockets.hpp"

namespace {

using namespace forkloom::semantics;

constexpr std::size_t large = 2'000'000;  // more than a connection holds

// A file of that many bytes.
int file_of(std::size_t size) {
  const auto fd = memfd_create("file", 0);
  static_cast<void>(ftruncate(fd, static_cast<off_t>(size)));
  return fd;
}

long receive_all(int fd) {
  std::vector<char> some(60'000);
  long total = 0;
  for (long got = 0; (got = recv(fd, some.data(), some.size(), 0)) > 0;) total += got;
  return total;
}

}  // namespace

TEST_CASE("sendfile sends all of a file through a socket, as room comes") {
  const auto seen = both<streams>({
      [](streams& w) {
        w.one_only();
        w.note(0, receive_all(w.one));
      },
      [](streams& w) {
        w.other_only();
        const auto file = file_of(large);
        off_t from = 10;
        w.note(1, sendfile(w.other, file, &from, 2 * large));
        w.note(2, from);
        w.note(3, sendfile(w.other, file, &from, 100));
        close(file);
      },
  });
  CHECK(seen[0] == long{large} - 10);
  CHECK(seen[1] == long{large} - 10);
  CHECK(seen[2] == long{large});
  CHECK(seen[3] == 0);
}

TEST_CASE("sendfile through a socket that does not block sends what fits") {
  const auto seen = both<streams>({[](streams& w) {
    const auto file = file_of(large);
    fcntl(w.one, F_SETFL, O_NONBLOCK);
    off_t from = 0;
    const auto sent = sendfile(w.one, file, &from, large);
    w.note(0, sent > 0 && sent < long{large});
    w.note(1, from == sent);
    w.note_error(2, sendfile(w.one, file, &from, large));
    w.note_error(3, sendfile(unseen(-1), file, &from, large));
    close(file);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EAGAIN);
  CHECK(seen[3] == EBADF);
}

TEST_CASE("splice moves from a socket into a pipe, and from a pipe into a socket") {
  const auto seen = both<streams>({
      [](streams& w) {
        std::array<int, 2> ends{};
        static_cast<void>(pipe(ends.data()));
        w.next_call_waits();
        w.note(0, splice(w.one, nullptr, ends[1], nullptr, 100, 0));
        w.call_has_ended();
        w.note(1, splice(ends[0], nullptr, w.one, nullptr, 100, 0));
        close(ends[0]);
        close(ends[1]);
      },
      [](streams& w) {
        w.await_waiter();
        send_text(w.other, "abc");
        w.await_its_end();
        w.note(2, receive_few(w.other, 8));
      },
  });
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 3);
  CHECK(seen[2] == letters("abc"));
}
