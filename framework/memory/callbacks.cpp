// The callbacks of -fsanitize=thread for plain accesses, and those that Forkloom has no use for.
// The compiler calls one just before each access; its name says what it is. g++ 12 and clang 14 to
// 19 were asked which ones they refer to.
//
// An access that is a load and a store in one callback (clang's compound ones) is one operation, so
// nobody comes in between, and no lost update can be made of it; forkloom_instrument() and the
// wrappers tell clang to call twice.
#include <cstddef>
#include <cstdint>

#include "framework/memory/access.hpp"

using namespace forkloom::memory;  // NOLINT: the definitions below cannot be in a namespace

namespace {

inline void read(const void* place, std::size_t size, const void* site) noexcept {
  if (!unwatched.contains(place)) plain_load(place, size, site);
}

inline void write(const void* place, std::size_t size, const void* site) noexcept {
  if (!unwatched.contains(place)) plain_store(place, size, site);
}

inline void read_write(const void* place, std::size_t size, const void* site) noexcept {
  if (!unwatched.contains(place)) plain_load_and_store(place, size, site);
}

}  // namespace

// NOLINTBEGIN: the compiler gives them their names
extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

void __tsan_read1(void* p) { read(p, 1, __builtin_return_address(0)); }
void __tsan_read2(void* p) { read(p, 2, __builtin_return_address(0)); }
void __tsan_read4(void* p) { read(p, 4, __builtin_return_address(0)); }
void __tsan_read8(void* p) { read(p, 8, __builtin_return_address(0)); }
void __tsan_read16(void* p) { read(p, 16, __builtin_return_address(0)); }

void __tsan_unaligned_read2(void* p) { read(p, 2, __builtin_return_address(0)); }
void __tsan_unaligned_read4(void* p) { read(p, 4, __builtin_return_address(0)); }
void __tsan_unaligned_read8(void* p) { read(p, 8, __builtin_return_address(0)); }
void __tsan_unaligned_read16(void* p) { read(p, 16, __builtin_return_address(0)); }

void __tsan_volatile_read1(void* p) { read(p, 1, __builtin_return_address(0)); }
void __tsan_volatile_read2(void* p) { read(p, 2, __builtin_return_address(0)); }
void __tsan_volatile_read4(void* p) { read(p, 4, __builtin_return_address(0)); }
void __tsan_volatile_read8(void* p) { read(p, 8, __builtin_return_address(0)); }
void __tsan_volatile_read16(void* p) { read(p, 16, __builtin_return_address(0)); }

void __tsan_unaligned_volatile_read2(void* p) { read(p, 2, __builtin_return_address(0)); }
void __tsan_unaligned_volatile_read4(void* p) { read(p, 4, __builtin_return_address(0)); }
void __tsan_unaligned_volatile_read8(void* p) { read(p, 8, __builtin_return_address(0)); }
void __tsan_unaligned_volatile_read16(void* p) { read(p, 16, __builtin_return_address(0)); }

void __tsan_write1(void* p) { write(p, 1, __builtin_return_address(0)); }
void __tsan_write2(void* p) { write(p, 2, __builtin_return_address(0)); }
void __tsan_write4(void* p) { write(p, 4, __builtin_return_address(0)); }
void __tsan_write8(void* p) { write(p, 8, __builtin_return_address(0)); }
void __tsan_write16(void* p) { write(p, 16, __builtin_return_address(0)); }

void __tsan_unaligned_write2(void* p) { write(p, 2, __builtin_return_address(0)); }
void __tsan_unaligned_write4(void* p) { write(p, 4, __builtin_return_address(0)); }
void __tsan_unaligned_write8(void* p) { write(p, 8, __builtin_return_address(0)); }
void __tsan_unaligned_write16(void* p) { write(p, 16, __builtin_return_address(0)); }

void __tsan_volatile_write1(void* p) { write(p, 1, __builtin_return_address(0)); }
void __tsan_volatile_write2(void* p) { write(p, 2, __builtin_return_address(0)); }
void __tsan_volatile_write4(void* p) { write(p, 4, __builtin_return_address(0)); }
void __tsan_volatile_write8(void* p) { write(p, 8, __builtin_return_address(0)); }
void __tsan_volatile_write16(void* p) { write(p, 16, __builtin_return_address(0)); }

void __tsan_unaligned_volatile_write2(void* p) { write(p, 2, __builtin_return_address(0)); }
void __tsan_unaligned_volatile_write4(void* p) { write(p, 4, __builtin_return_address(0)); }
void __tsan_unaligned_volatile_write8(void* p) { write(p, 8, __builtin_return_address(0)); }
void __tsan_unaligned_volatile_write16(void* p) { write(p, 16, __builtin_return_address(0)); }

void __tsan_read_write1(void* p) { read_write(p, 1, __builtin_return_address(0)); }
void __tsan_read_write2(void* p) { read_write(p, 2, __builtin_return_address(0)); }
void __tsan_read_write4(void* p) { read_write(p, 4, __builtin_return_address(0)); }
void __tsan_read_write8(void* p) { read_write(p, 8, __builtin_return_address(0)); }
void __tsan_read_write16(void* p) { read_write(p, 16, __builtin_return_address(0)); }

void __tsan_unaligned_read_write2(void* p) { read_write(p, 2, __builtin_return_address(0)); }
void __tsan_unaligned_read_write4(void* p) { read_write(p, 4, __builtin_return_address(0)); }
void __tsan_unaligned_read_write8(void* p) { read_write(p, 8, __builtin_return_address(0)); }
void __tsan_unaligned_read_write16(void* p) { read_write(p, 16, __builtin_return_address(0)); }

void __tsan_read_range(void* p, std::size_t size) {
  if (size != 0) read(p, size, __builtin_return_address(0));
}
void __tsan_write_range(void* p, std::size_t size) {
  if (size != 0) write(p, size, __builtin_return_address(0));
}

// A constructor or destructor sets the pointer to the table of virtual functions; most often to the
// value that it has already.
void __tsan_vptr_update(void** p, void* value) {
  if (*p != value) write(p, sizeof *p, __builtin_return_address(0));
}
void __tsan_vptr_read(void** p) { read(p, sizeof *p, __builtin_return_address(0)); }

void __tsan_ignore_thread_begin() { ignore(1); }
void __tsan_ignore_thread_end() { ignore(-1); }

// Annotations for locks that libtsan does not know: Forkloom sees the calls that they are made of.
void __tsan_acquire(void*) {}
void __tsan_release(void*) {}
void __tsan_mutex_create(void*, unsigned) {}
void __tsan_mutex_destroy(void*, unsigned) {}
void __tsan_mutex_pre_lock(void*, unsigned) {}
void __tsan_mutex_post_lock(void*, unsigned, int) {}
int __tsan_mutex_pre_unlock(void*, unsigned) { return 0; }
void __tsan_mutex_post_unlock(void*, unsigned) {}
void __tsan_mutex_pre_signal(void*, unsigned) {}
void __tsan_mutex_post_signal(void*, unsigned) {}
void __tsan_mutex_pre_divert(void*, unsigned) {}
void __tsan_mutex_post_divert(void*, unsigned) {}

// Objects of languages and libraries that are not instrumented themselves.
void* __tsan_external_register_tag(const char*) { return nullptr; }
void __tsan_external_register_header(void*, const char*) {}
void __tsan_external_assign_tag(void*, void*) {}
void __tsan_external_read(void* p, void*, void*) { read(p, 1, __builtin_return_address(0)); }
void __tsan_external_write(void* p, void*, void*) { write(p, 1, __builtin_return_address(0)); }

}  // extern "C"
// NOLINTEND
