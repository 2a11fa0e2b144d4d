// What the compilers' code tells of its accesses: each with its place, size, order and values; and
// that it computes what it computes without Forkloom.
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <new>

#include "tests/integration/memory/fixtures/objects.hpp"
#include "tests/integration/memory/fixtures/variants.hpp"
#include "tests/integration/memory/traced.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;
using enum operation;
using enum access_order;
using sort = memory_access::sort;

using area_in_shared_memory = in_shared_memory<area>;

// One store of a value and the load that finds it.
void add(std::vector<told>& all, std::size_t offset, std::size_t size, std::uint64_t value) {
  all.push_back({store, offset, size, 0, value});
  all.push_back({load, offset, size, value, value});
}

TEST_CASE("each plain access tells its place, its size and its value") {
  std::vector<told> expected;
  add(expected, offsetof(area, one), 1, 1);
  add(expected, offsetof(area, two), 2, 2);
  add(expected, offsetof(area, four), 4, 4);
  add(expected, offsetof(area, eight), 8, 8);
  add(expected, offsetof(area, is_volatile), 4, 5);
  add(expected, offsetof(area, packed) + offsetof(unaligned, two), 2, 22);
  add(expected, offsetof(area, packed) + offsetof(unaligned, four), 4, 44);
  add(expected, offsetof(area, packed) + offsetof(unaligned, eight), 8, 88);
  for (const auto* code : variants) {
    INFO(code->name);
    area_in_shared_memory shared;
    const auto what = trace_of({[&] { code->plain(shared.get()); }});
    REQUIRE(what.how == ending::finished);
    CHECK(shared->eight == 8);
    CHECK(shared->packed.eight == 88);
    auto found = accesses_in(what);
    // What a load finds may be forwarded to it from the store before; then there is none.
    std::erase_if(found, [](const told& t) { return t.op == load; });
    auto stores = expected;
    std::erase_if(stores, [](const told& t) { return t.op == load; });
    CHECK(found == stores);
    if (std::strstr(code->name, "-O0") != nullptr) CHECK(accesses_in(what) == expected);
  }
}

TEST_CASE("an increment is a load, and then a store") {
  for (const auto* code : variants) {
    INFO(code->name);
    area_in_shared_memory shared;
    shared->four = 41;
    const auto what = trace_of({[&] { code->increment(&shared->four); }});
    CHECK(shared->four == 42);
    CHECK(accesses_in(what) == std::vector<told>{{load, offsetof(area, four), 4, 41, 41},
                                                 {store, offsetof(area, four), 4, 41, 42}});
  }
}

TEST_CASE("the increments of two processes can be lost, and none is with an atomic") {
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    in_shared_memory<std::uint32_t> shared;
    const auto add_one = [&] { variants[0]->increment(shared.get()); };
    static_cast<void>(trace_of({add_one, add_one}, seed));
    lost += *shared.get() == 1 ? 1 : 0;

    in_shared_memory<std::atomic<int>> counter;
    const auto use = [&] { static_cast<void>(counter->fetch_add(1)); };
    static_cast<void>(trace_of({use, use}, seed));
    CHECK(counter->load() == 2);
  }
  // Half of the schedules lose one; that none of 20 does has the odds of one in a million.
  CHECK(lost > 0);
}

// In the order of EACH_OPERATION; a store of the complement keeps the size's bits only.
void add_atomics(std::vector<told>& all, std::size_t offset, std::size_t size) {
  const auto mask = ~std::uint64_t{0} >> (64 - 8 * size);
  const auto not_8 = ~std::uint64_t{8} & mask;
  const auto atomic = [&](operation op, std::uint64_t before, std::uint64_t after,
                          access_order order) {
    all.push_back({op, offset, size, before, after, sort::atomic, order});
  };
  atomic(store, 0, 1, release);
  atomic(load, 1, 1, acquire);
  atomic(modify, 1, 12, acq_rel);
  atomic(modify, 12, 15, relaxed);
  atomic(modify, 15, 14, seq_cst);
  atomic(modify, 14, 6, seq_cst);
  atomic(modify, 6, 15, seq_cst);
  atomic(modify, 15, 10, seq_cst);
  atomic(modify, 10, not_8, seq_cst);
  atomic(load, not_8, not_8, relaxed);  // the exchange that found another value
  atomic(modify, not_8, 7, release);
}

TEST_CASE("atomics of each size compute what they should, and tell their memory orders") {
  std::vector<told> expected;
  add_atomics(expected, offsetof(area, atomic_one), 1);
  add_atomics(expected, offsetof(area, atomic_two), 2);
  add_atomics(expected, offsetof(area, atomic_four), 4);
  add_atomics(expected, offsetof(area, atomic_eight), 8);
  for (const auto* code : variants) {
    INFO(code->name);
    area_in_shared_memory shared;
    CHECK(accesses_in(trace_of({[&] { code->atomics(shared.get()); }})) == expected);
    area native{};
    code->atomics(&native);
    CHECK(native.atomic_one == 7);
    CHECK(native.atomic_eight == 7);
    CHECK(std::memcmp(&native, shared.get(), sizeof native) == 0);
  }
}

TEST_CASE("a thread fence is told between the accesses that it orders, a signal fence is not") {
  for (const auto* code : variants) {
    INFO(code->name);
    in_shared_memory<std::uint32_t> shared;
    *shared.get() = 3;
    const auto what =
        trace_of({[&] { static_cast<void>(code->relaxed_then_acquire(shared.get())); }});
    CHECK(accesses_in(what) == std::vector<told>{{load, 0, 4, 3, 3, sort::atomic, relaxed},
                                                 {fence, 0, 0, 0, 0, sort::atomic, acquire},
                                                 {load, 0, 4, 3, 3, sort::atomic, seq_cst}});
  }
}

TEST_CASE("calls and assignments that touch ranges are accesses to all their bytes") {
  constexpr std::size_t size = 80;
  constexpr auto from = offsetof(area, from);
  constexpr auto to = offsetof(area, to);
  constexpr auto text = offsetof(area, text);
  struct range {
    operation op;
    std::size_t offset;
    std::size_t size;
    bool operator==(const range&) const = default;
  };
  const std::vector<range> expected{
      {store, from, size},       {load, from, size}, {store, to, size}, {load, to, size - 1},
      {store, to + 1, size - 1}, {store, text, 6},   {load, text, 6},   {load, from, size},
      {load, to, size},          {load, text, 6}};
  for (const auto* code : variants) {
    INFO(code->name);
    area_in_shared_memory shared;
    const auto what = trace_of({[&] { code->ranges(shared.get(), "hello", size); }});
    CHECK(shared->to.bytes[size - 1] == 'a');
    CHECK(std::strcmp(shared->text, "hello") == 0);
    std::vector<range> found;
    for (const auto& t : accesses_in(what)) found.push_back({t.op, t.offset, t.size});
    // An optimiser knows how long the string is, and what it equals.
    auto wanted = expected;
    if (std::strstr(code->name, "-O0") == nullptr)
      for (auto* all : {&found, &wanted})
        std::erase_if(*all, [](const range& r) { return r.op == load; });
    CHECK(found == wanted);
  }
}

TEST_CASE("private memory is nobody's business") {
  for (const auto* code : variants) {
    INFO(code->name);
    area own{};
    std::uint64_t total = 0;
    const auto what = trace_of({[&] {
      code->plain(&own);
      code->atomics(&own);
      code->ranges(&own, "hello", 80);
      std::array<std::uint64_t, 64> numbers{};
      code->sum(&total, numbers.data(), 1000);
    }});
    CHECK(what.how == ending::finished);
    CHECK(accesses_in(what).empty());
  }
}

TEST_CASE("memory that a task maps is seen, and is private again when it has gone") {
  const auto what = trace_of({[] {
    constexpr std::size_t size = 4096;
    constexpr auto access = PROT_READ | PROT_WRITE;
    auto* place = ::mmap(nullptr, size, access, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    variants[0]->increment(static_cast<std::uint32_t*>(place));
    ::munmap(place, size);  // the store's value is told before
    place = ::mmap(place, size, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    variants[0]->increment(static_cast<std::uint32_t*>(place));
  }});
  CHECK(what.how == ending::finished);
  CHECK(accesses_in(what) == std::vector<told>{{load, 0, 4, 0, 0}, {store, 0, 4, 0, 1}});
}

TEST_CASE("that there are more places than can be told apart is said") {
  static std::array<std::uint32_t, 9000>* numbers = nullptr;
  const in_shared_memory<std::array<std::uint32_t, 9000>> shared;
  numbers = shared.get();
  const auto touch = [](std::size_t count) {
    return trace_of({[count] {
      for (std::size_t i = 0; i < count; ++i) variants[0]->increment(&numbers->at(i));
    }});
  };
  CHECK(touch(8000).passed.empty());
  const auto what = touch(9000);
  CHECK(what.how == ending::finished);
  REQUIRE(what.passed.size() == 1);
  CHECK(what.passed[0].name.starts_with("resources beyond"));
}

TEST_CASE("a store whose task dies at once is told, with the old value twice") {
  in_shared_memory<std::uint32_t> shared;
  const auto what = trace_of({[&] {
    // Catch2's handler would do something that others may notice: it raises the signal once more.
    std::signal(SIGILL, SIG_DFL);
    variants[0]->increment(shared.get());
    __builtin_trap();
  }});
  CHECK(accesses_in(what) == std::vector<told>{{load, 0, 4, 0, 0}, {store, 0, 4, 0, 0}});
  CHECK(*shared.get() == 1);
}

TEST_CASE("the pointer to the virtual functions is stored when it changes, and loaded for a call") {
  in_shared_memory<triangle> shared;
  auto* place = static_cast<void*>(shared.get());
  const auto what = trace_of({[&] {
    if (make_and_ask(place) != 3) ::_exit(1);
  }});
  CHECK(what.tasks[0].end.code == 0);
  std::size_t stores = 0;
  for (const auto& t : accesses_in(what)) {
    CHECK(t.size == sizeof(void*));
    stores += t.op == store ? 1 : 0;
  }
  // shape's, triangle's, and back; an optimiser may leave some out.
  CHECK(stores >= 1);
}

TEST_CASE("std::atomic tells the orders that it was asked for") {
  in_shared_memory<std::atomic<int>> shared;
  CHECK(use_atomic(*shared.get()) == 8);  // natively
  shared->store(0);
  const auto what = trace_of({[&] { static_cast<void>(use_atomic(*shared.get())); }});
  const auto atomic = [](operation op, std::uint64_t before, std::uint64_t after,
                         access_order order) {
    return told{op, 0, 4, before, after, sort::atomic, order};
  };
  CHECK(accesses_in(what) ==
        std::vector<told>{atomic(store, 0, 1, release), atomic(modify, 1, 2, relaxed),
                          atomic(modify, 2, 5, seq_cst), atomic(load, 5, 5, acquire),
                          atomic(modify, 5, 7, seq_cst), atomic(modify, 7, 8, seq_cst),
                          atomic(load, 8, 8, acquire)});
}

TEST_CASE("sixteen bytes are exchanged as one") {
  struct alignas(16) sixteen {
    unsigned __int128 number;
  };
  in_shared_memory<sixteen> shared;
  const auto what = trace_of({[&] {
    if (!exchange_sixteen(&shared->number, 1, 2)) ::_exit(1);
    if (exchange_sixteen(&shared->number, 3, 4)) ::_exit(2);
  }});
  CHECK(what.tasks[0].end.code == 0);
  const auto found = accesses_in(what);
  REQUIRE(found.size() == 2);
  CHECK(found[0].op == modify);
  CHECK(found[1].op == load);
  CHECK(found[0].size == 16);
  CHECK(found[0].how == sort::atomic);
  CHECK(shared->number == ((static_cast<unsigned __int128>(2) << 64) | 1));
}

}  // namespace
