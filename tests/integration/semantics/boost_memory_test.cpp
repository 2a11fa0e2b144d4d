// Boost.Interprocess's managed memory: the handshake of those that make a segment at once, objects
// that are found by name, containers, and allocation under the segment's own lock.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/interprocess/allocators/allocator.hpp>
#include <boost/interprocess/containers/deque.hpp>
#include <boost/interprocess/containers/map.hpp>
#include <boost/interprocess/containers/string.hpp>
#include <boost/interprocess/containers/vector.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/managed_mapped_file.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/offset_ptr.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <functional>
#include <string>

#include "tests/integration/semantics/both.hpp"
#include "tests/integration/semantics/milestone.hpp"

namespace {

using forkloom::semantics::both;
using forkloom::semantics::milestone;
using forkloom::semantics::notes;
namespace bip = boost::interprocess;

constexpr std::size_t segment_size = 65536;

// Where a segment lies: an object of shared memory, or a file.
struct in_shared_memory {
  using segment = bip::managed_shared_memory;
  static std::string folder() { return ""; }
  static void remove(const char* name) { bip::shared_memory_object::remove(name); }
};

struct in_a_file {
  using segment = bip::managed_mapped_file;
  static std::string folder() { return "/dev/shm/"; }
  static void remove(const char* name) { ::unlink(name); }
};

template <class Place>
struct segment_world : notes {
  using segment = typename Place::segment;
  std::array<char, 64> name{};
  bip::interprocess_mutex last;
  int ended = 0;

  segment_world() {
    const auto text = Place::folder() + "forkloom-segment-" + std::to_string(::getpid());
    text.copy(name.data(), name.size() - 1);
    Place::remove(name.data());
  }
  segment_world(const segment_world&) = delete;
  segment_world& operator=(const segment_world&) = delete;
  ~segment_world() { Place::remove(name.data()); }

  [[nodiscard]] segment open_or_create() const {
    return segment(bip::open_or_create, name.data(), segment_size);
  }
  // True for the last of so many.
  bool is_last(int of) {
    const bip::scoped_lock<bip::interprocess_mutex> guard(last);
    return ++ended == of;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("processes that make a segment at once all get the same one", "",
                   in_shared_memory, in_a_file) {
  using world = segment_world<TestType>;
  const auto body = [](world& w) {
    auto segment = w.open_or_create();
    auto* count = segment.template find_or_construct<long>("count")(0);
    auto increment = [count] { *count += 1; };
    segment.atomic_func(increment);
    if (w.is_last(3)) {
      w.note(0, *count);
      w.note(1, long(segment.get_num_named_objects()));
      w.note(2, segment.template destroy<long>("count"));
      w.note(3, segment.template find<long>("count").first == nullptr);
      w.note(4, segment.check_sanity());
    }
  };
  const auto seen = both<world>({body, body, body});
  CHECK(seen[0] == 3);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 1);
}

TEMPLATE_TEST_CASE("containers in a segment grow under its lock", "", in_shared_memory, in_a_file) {
  using world = segment_world<TestType>;
  using manager = typename world::segment::segment_manager;
  using string = bip::basic_string<char, std::char_traits<char>, bip::allocator<char, manager>>;
  using entry = std::pair<const int, string>;
  using map = bip::map<int, string, std::less<>, bip::allocator<entry, manager>>;
  using vector = bip::vector<int, bip::allocator<int, manager>>;
  using deque = bip::deque<int, bip::allocator<int, manager>>;
  const auto fill = [](world& w, int mine) {
    auto segment = w.open_or_create();
    auto* lock = segment.template find_or_construct<bip::interprocess_mutex>("lock")();
    auto* names = segment.template find_or_construct<map>("names")(std::less<>{},
                                                                   segment.get_segment_manager());
    auto* list = segment.template find_or_construct<vector>("list")(segment.get_segment_manager());
    auto* line = segment.template find_or_construct<deque>("line")(segment.get_segment_manager());
    for (int i = 0; i < 4; ++i) {
      const bip::scoped_lock<bip::interprocess_mutex> guard(*lock);
      names->emplace(2 * i + mine,
                     string("a text that no small buffer holds", segment.get_segment_manager()));
      list->push_back(i);
      line->push_front(i);
    }
    if (w.is_last(2)) {
      w.note(0, long(names->size()));
      w.note(1, long(list->size()));
      w.note(2, long(line->size()));
      w.note(3, names->at(7).size());
    }
  };
  static constexpr auto run = fill;
  const auto seen = both<world>({[](world& w) { run(w, 0); }, [](world& w) { run(w, 1); }});
  CHECK(seen[0] == 8);
  CHECK(seen[1] == 8);
  CHECK(seen[2] == 8);
  CHECK(seen[3] == 33);
}

TEST_CASE("memory that a segment does not have ends in bad_alloc, and nothing is lost") {
  using world = segment_world<in_shared_memory>;
  const auto seen = both<world>({[](world& w) {
    auto segment = w.open_or_create();
    const auto before = segment.get_free_memory();
    try {
      segment.allocate(2 * segment_size);
    } catch (const bip::bad_alloc&) {
      w.note(0, 1);
    }
    w.note(1, segment.get_free_memory() == before);
    auto* piece = segment.allocate(1000);
    w.note(2, segment.get_free_memory() < before);
    segment.deallocate(piece);
    w.note(3, segment.get_free_memory() == before);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 1);
}

TEST_CASE("a segment that is being made cannot be opened before it is ready") {
  struct world : segment_world<in_shared_memory> {
    milestone found;
  };
  const auto seen = both<world>({
      [](world& w) {
        bip::managed_shared_memory segment(bip::create_only, w.name.data(), segment_size);
        segment.construct<int>("answer")(42);
        w.found.await();
      },
      [](world& w) {
        for (;;) {
          try {
            bip::managed_shared_memory segment(bip::open_only, w.name.data());
            const auto* answer = segment.find<int>("answer").first;
            if (answer == nullptr) continue;
            w.note(0, *answer);
            return w.found.reach();
          } catch (const bip::interprocess_exception&) {
            ::usleep(1000);  // it is not there yet, and nothing tells when it is
          }
        }
      },
  });
  CHECK(seen[0] == 42);
}

namespace {

// A buffer of the world's own, which is shared memory: each process opens it where it lies.
struct external : notes {
  alignas(64) std::array<char, 16384> buffer{};
  bip::interprocess_mutex last;
  int ended = 0;

  external() {
    bip::managed_external_buffer made(bip::create_only, buffer.data(), buffer.size());
    made.construct<long>("count")(0);
  }
};

}  // namespace

TEST_CASE("a managed buffer in shared memory is one for all") {
  const auto body = [](external& w) {
    bip::managed_external_buffer segment(bip::open_only, w.buffer.data(), w.buffer.size());
    auto* count = segment.find<long>("count").first;
    // The lock inside a buffer that somebody else provides is none at all: the world has one.
    const bip::scoped_lock<bip::interprocess_mutex> guard(w.last);
    for (int i = 0; i < 3; ++i) *count += 1;
    if (++w.ended == 2) w.note(0, *count);
  };
  const auto seen = both<external>({body, body});
  CHECK(seen[0] == 6);
}

TEST_CASE("an offset pointer leads to the same object from every mapping") {
  using world = segment_world<in_shared_memory>;
  struct node {
    int value = 0;
    bip::offset_ptr<node> next;
  };
  const auto seen = both<world>({[](world& w) {
    auto segment = w.open_or_create();
    auto* list = segment.construct<node>("list")();
    list->value = 1;
    list->next = segment.construct<node>(bip::anonymous_instance)();
    list->next->value = 2;
    bip::shared_memory_object object(bip::open_only, w.name.data(), bip::read_only);
    const bip::mapped_region again(object, bip::read_only);
    const auto offset = reinterpret_cast<char*>(list) - static_cast<char*>(segment.get_address());
    // A managed segment begins behind a head of its own.
    const auto head = again.get_size() - segment.get_size();
    const auto* there = reinterpret_cast<const node*>(
        static_cast<const char*>(again.get_address()) + head + offset);
    w.note(0, there != list);
    w.note(1, there->value);
    w.note(2, there->next->value);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 2);
}
