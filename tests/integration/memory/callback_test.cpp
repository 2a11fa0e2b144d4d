// The callbacks themselves, natively and under control: they do what the compiler's documentation
// of its atomics promises, and leave nothing out that a compiler may call.
#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "tests/integration/semantics/both.hpp"

// NOLINTBEGIN: the compiler gives them their names
extern "C" {
void* __tsan_memcpy(void* to, const void* from, std::size_t size);
void* __tsan_memmove(void* to, const void* from, std::size_t size);
void* __tsan_memset(void* to, int value, std::size_t size);
}
// NOLINTEND

namespace {

using namespace forkloom;

constexpr int relaxed = __ATOMIC_RELAXED;
constexpr int sequential = __ATOMIC_SEQ_CST;

// A callback for one size, by its name: "__tsan_atomic", the size's bits, "_load".
template <class Function>
Function* callback(std::size_t size, const char* what) {
  const auto name = "__tsan_atomic" + std::to_string(8 * size) + "_" + what;
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name.c_str()));  // NOLINT
}

template <class T>
struct cell : semantics::notes {
  alignas(16) T x = 10;
};

template <class T>
void exercise(cell<T>& w) {
  using binary = T(volatile T*, T, int);
  const auto number = [](T value) { return static_cast<long>(value); };
  const auto call = [](const char* what) { return callback<binary>(sizeof(T), what); };
  callback<void(volatile T*, T, int)>(sizeof(T), "store")(&w.x, 12, sequential);
  w.note(0, number(callback<T(const volatile T*, int)>(sizeof(T), "load")(&w.x, relaxed)));
  w.note(1, number(call("exchange")(&w.x, 100, sequential)));
  w.note(2, number(call("fetch_add")(&w.x, 7, sequential)));
  w.note(3, number(call("fetch_sub")(&w.x, 3, sequential)));
  w.note(4, number(call("fetch_and")(&w.x, 0x6c, sequential)));
  w.note(5, number(call("fetch_or")(&w.x, 0x11, sequential)));
  w.note(6, number(call("fetch_xor")(&w.x, 0x0f, sequential)));
  w.note(7, number(call("fetch_nand")(&w.x, 0x3c, sequential)));
  w.note(8, number(static_cast<T>(~w.x)));
  using strong = int(volatile T*, T*, T, int, int);
  T expected = 1;
  const auto try_strong = callback<strong>(sizeof(T), "compare_exchange_strong");
  w.note(9, try_strong(&w.x, &expected, 5, sequential, relaxed));
  w.note(10, number(static_cast<T>(~expected)));
  w.note(11, try_strong(&w.x, &expected, 5, sequential, relaxed));
  const auto try_weak = callback<strong>(sizeof(T), "compare_exchange_weak");
  w.note(12, try_weak(&w.x, &expected, 6, relaxed, relaxed));
  w.note(13, number(expected));
  using by_value = T(volatile T*, T, T, int, int);
  const auto exchange = callback<by_value>(sizeof(T), "compare_exchange_val");
  w.note(14, number(exchange(&w.x, 5, 77, sequential, relaxed)));
  w.note(15, number(exchange(&w.x, 5, 78, sequential, relaxed)));
  w.note(16, number(w.x));
  // What overflows wraps round, in the size's own bits.
  w.x = static_cast<T>(~T{0});
  call("fetch_add")(&w.x, 2, sequential);
  w.note(17, number(w.x));
}

template <class T>
void require_semantics() {
  INFO(sizeof(T) << " bytes");
  const auto seen = semantics::both<cell<T>>({exercise<T>});
  const std::array<long, 18> expected{12, 12,   100, 107, 104, 104, 121, 118, 0x34,
                                      0,  0x34, 1,   0,   5,   5,   77,  77,  1};
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(semantics::noted{i, seen[i]} == semantics::noted{i, expected[i]});
}

__extension__ using uint128 = unsigned __int128;

TEST_CASE("atomic callbacks of every size do what their names say") {
  require_semantics<std::uint8_t>();
  require_semantics<std::uint16_t>();
  require_semantics<std::uint32_t>();
  require_semantics<std::uint64_t>();
  require_semantics<uint128>();
}

struct text : semantics::notes {
  std::array<char, 16> bytes{};
};

TEST_CASE("the callbacks for ranges copy and fill, and return where") {
  const auto seen = semantics::both<text>({[](text& w) {
    auto* place = w.bytes.data();
    w.note(0, __tsan_memset(place, 'x', 8) == place);
    w.note(1, __tsan_memcpy(place, "abcd", 4) == place);
    w.note(2, __tsan_memmove(place + 1, place, 4) == place + 1);
    w.note(3, std::memcmp(place, "aabcdxxx", 9));
    w.note(4, __tsan_memcpy(nullptr, nullptr, 0) == nullptr);
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == 1);
}

TEST_CASE("nothing is missing that g++ or clang may call") {
  const auto is_there = [](const std::string& name) {
    INFO(name);
    CHECK(::dlsym(RTLD_DEFAULT, ("__tsan_" + name).c_str()) != nullptr);
  };
  for (const auto* access : {"read", "write", "read_write"})
    for (const auto* form : {"", "unaligned_", "volatile_", "unaligned_volatile_"})
      for (const auto* size : {"1", "2", "4", "8", "16"}) {
        const bool unaligned = std::string(form).starts_with("unaligned");
        const bool is_volatile = std::string(form).ends_with("volatile_");
        if (unaligned && std::string(size) == "1") continue;
        if (is_volatile && std::string(access) == "read_write") continue;
        is_there(std::string(form) + access + size);
      }
  for (const auto* other : {"init",
                            "func_entry",
                            "func_exit",
                            "read_range",
                            "write_range",
                            "vptr_update",
                            "vptr_read",
                            "ignore_thread_begin",
                            "ignore_thread_end",
                            "atomic_thread_fence",
                            "atomic_signal_fence",
                            "memcpy",
                            "memmove",
                            "memset",
                            "acquire",
                            "release",
                            "mutex_create",
                            "mutex_destroy",
                            "mutex_pre_lock",
                            "mutex_post_lock",
                            "mutex_pre_unlock",
                            "mutex_post_unlock",
                            "mutex_pre_signal",
                            "mutex_post_signal",
                            "mutex_pre_divert",
                            "mutex_post_divert",
                            "external_register_tag",
                            "external_register_header",
                            "external_assign_tag",
                            "external_read",
                            "external_write"})
    is_there(other);
}

}  // namespace
