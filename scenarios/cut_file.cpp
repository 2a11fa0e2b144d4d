// Whoever touches a mapped page behind the end of its file is ended by SIGBUS (mmap(2)). So the
// length that a reader has looked at must still hold when it reads.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/stream_end.hpp"
#include "forkloom/scenario.hpp"

using forkloom::expect;
using forkloom::that;
using forkloom::violation_kind;

namespace {

constexpr const char* path = "/dev/shm/forkloom-journal";
constexpr std::size_t page = 4096;

void make() {
  const forkloom::ipc::stream_end file(::open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));
  expect(that(::ftruncate(file.native_handle(), page)) == 0);
}

// A journal that one process reads, and another one empties.
class journal {
 public:
  explicit journal(forkloom::ipc::mutex& lock)
      : lock_(lock), file_(::open(path, O_RDWR)), text_(map(file_.native_handle())) {}
  ~journal() { ::munmap(text_, page); }
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  [[nodiscard]] std::size_t length() const {
    struct stat status {};
    expect(that(::fstat(file_.native_handle(), &status)) == 0);
    return static_cast<std::size_t>(status.st_size);
  }
  [[nodiscard]] std::scoped_lock<forkloom::ipc::mutex> hold() const {
    return std::scoped_lock{lock_};
  }
  void read(std::size_t length) const {
    if (length > 0) static_cast<void>(static_cast<volatile const char*>(text_)[length - 1]);
  }
  void empty() const {
    const auto held = hold();
    expect(that(::truncate(path, 0)) == 0);
  }

 private:
  static void* map(int fd) {
    auto* place = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    expect(place != MAP_FAILED);
    return place;
  }

  forkloom::ipc::mutex& lock_;
  forkloom::ipc::stream_end file_;
  void* text_;
};

void run(forkloom::scenario& scenario, void (*read)(const journal&)) {
  make();
  auto& lock = scenario.make<forkloom::ipc::mutex>("lock");
  scenario.process("reader", [&lock, read] { read(journal(lock)); });
  scenario.process("cutter", [&lock] { journal(lock).empty(); });
  scenario.finally([] { ::unlink(path); });
}

}  // namespace

FORKLOOM_SCENARIO("a journal that is measured before its lock is taken", "[mapping][crash][broken]",
                  .expects = {violation_kind::crash}) {
  run(scenario, [](const journal& j) {
    const auto length = j.length();
    const auto held = j.hold();
    j.read(length);
  });
}

FORKLOOM_SCENARIO("a journal that is measured under its lock", "[mapping][correct]") {
  run(scenario, [](const journal& j) {
    const auto held = j.hold();
    j.read(j.length());
  });
}
