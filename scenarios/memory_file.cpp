// A memory file is empty until somebody gives it a length. Who maps it and touches it before is
// ended by SIGBUS (memfd_create(2), mmap(2)).
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "forkloom/ipc/stream_end.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;
using forkloom::ipc::stream_end;

namespace {

constexpr std::size_t page = 4096;
constexpr std::string_view greeting = "hello";

struct paper {
  stream_end file{::memfd_create("paper", MFD_CLOEXEC)};
  stream_end written{::eventfd(0, 0)};

  [[nodiscard]] char* map() const {
    auto* place =
        ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, file.native_handle(), 0);
    expect(place != MAP_FAILED);
    return static_cast<char*>(place);
  }

  void write() const {
    expect(that(::ftruncate(file.native_handle(), page)) == 0);
    auto* text = map();
    std::memcpy(text, greeting.data(), greeting.size());
    ::munmap(text, page);
    expect(that(::eventfd_write(written.native_handle(), 1)) == 0);
  }

  void wait() const {
    eventfd_t count = 0;
    expect(that(::eventfd_read(written.native_handle(), &count)) == 0);
  }

  void read() const {
    auto* text = map();
    expect(that(std::string_view(text, greeting.size())) == greeting);
    ::munmap(text, page);
  }
};

}  // namespace

FORKLOOM_SCENARIO("a memory file that is read before it is written", "[memory_file][crash][broken]",
                  .expects = {violation_kind::crash}) {
  const paper p;
  scenario.process("writer", [&] { p.write(); });
  scenario.process("reader", [&] { p.read(); });
}

FORKLOOM_SCENARIO("a memory file that is read after it was written", "[memory_file][correct]") {
  const paper p;
  scenario.process("writer", [&] { p.write(); });
  scenario.process("reader", [&] {
    p.wait();
    p.read();
  });
}
