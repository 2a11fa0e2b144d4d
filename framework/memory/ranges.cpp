// Calls that touch ranges of memory: memcpy and its kin, the strings' most common ones. g++ 12 and
// clang 14 leave them plain calls, clang 16 and later calls __tsan_memcpy. The linker is told to
// send the plain ones here (--wrap), and only in what is linked that way: calls from libc and from
// other libraries stay as they are.
//
// A copy is one operation: nobody comes in between the load and the store.
#include <string.h>

#include <cstddef>

#include "framework/execution/identity.hpp"
#include "framework/memory/access.hpp"

namespace forkloom::memory {
namespace {

// Writes to a watched place. length: how many bytes, asked for when the task has its turn. from:
// what is read, or null.
template <class Length, class Write>
void store_range(void* to, const void* from, const void* site, Length length,
                 Write write) noexcept {
  controlled_call call{operation::store, execution::resource_at(to, resource_kind::memory), site};
  const auto size = bytes_there(to, length());
  if (from != nullptr && watched(from)) tell_load(from, length(), site);
  const auto before = execution::digest(to, size);
  write();
  call.completed(plain(size), before, execution::digest(to, size));
}

// Reads of a string: its length is not known before the task has its turn.
template <class Length>
void load_string(const void* place, const void* site, Length length) noexcept {
  controlled_call call{operation::load, execution::resource_at(place, resource_kind::memory), site};
  const auto size = bytes_there(place, length());
  const auto value = execution::digest(place, size);
  call.completed(plain(size), value, value);
}

void* copy(void* to, const void* from, std::size_t size, const void* site,
           void* (*real)(void*, const void*, std::size_t)) noexcept {
  if (size == 0) return to;
  if (watched(to)) {
    store_range(
        to, from, site, [size] { return size; }, [&] { real(to, from, size); });
    return to;
  }
  if (!unwatched.contains(from)) plain_load(from, size, site);
  return real(to, from, size);
}

void* set(void* to, int value, std::size_t size, const void* site) noexcept {
  if (size == 0 || !watched(to)) return ::memset(to, value, size);
  store_range(
      to, nullptr, site, [size] { return size; }, [&] { ::memset(to, value, size); });
  return to;
}

// length: of what is written, its zero included.
template <class Length, class Write>
void copy_string(char* to, const char* from, const void* site, Length length,
                 Write write) noexcept {
  if (watched(to)) return store_range(to, from, site, length, write);
  if (watched(from)) load_string(from, site, length);
  write();
}

// Of two watched ranges the second is read in the same turn as the first.
template <class Length>
void compare(const void* a, const void* b, const void* site, Length length) noexcept {
  const bool both = watched(a) && watched(b);
  if (both) {
    load_string(a, site, [&] { return length(a); });
    return tell_load(b, length(b), site);
  }
  if (watched(a)) load_string(a, site, [&] { return length(a); });
  if (watched(b)) load_string(b, site, [&] { return length(b); });
}

std::size_t string_size(const char* text) noexcept { return ::strlen(text) + 1; }

// How much of a string a call reads that reads at most `limit` bytes.
std::size_t string_size(const char* text, std::size_t limit) noexcept {
  const auto length = ::strnlen(text, limit);
  return length < limit ? length + 1 : limit;
}

}  // namespace
}  // namespace forkloom::memory

using namespace forkloom::memory;  // NOLINT: the definitions below cannot be in a namespace

// NOLINTBEGIN: the compiler and the linker give them their names
extern "C" {

void* __memcpy_chk(void* to, const void* from, std::size_t size, std::size_t room);
void* __memmove_chk(void* to, const void* from, std::size_t size, std::size_t room);
void* __memset_chk(void* to, int value, std::size_t size, std::size_t room);
char* __stpcpy_chk(char* to, const char* from, std::size_t room);
char* __strcpy_chk(char* to, const char* from, std::size_t room);

void* __tsan_memcpy(void* to, const void* from, std::size_t size) {
  return copy(to, from, size, __builtin_return_address(0), ::memcpy);
}
void* __tsan_memmove(void* to, const void* from, std::size_t size) {
  return copy(to, from, size, __builtin_return_address(0), ::memmove);
}
void* __tsan_memset(void* to, int value, std::size_t size) {
  return set(to, value, size, __builtin_return_address(0));
}

int __wrap_memcmp(const void* a, const void* b, std::size_t size) {
  if (size != 0) compare(a, b, __builtin_return_address(0), [size](const void*) { return size; });
  return ::memcmp(a, b, size);
}
void* __wrap_memcpy(void* to, const void* from, std::size_t size) {
  return copy(to, from, size, __builtin_return_address(0), ::memcpy);
}
void* __wrap___memcpy_chk(void* to, const void* from, std::size_t size, std::size_t room) {
  if (size > room) return __memcpy_chk(to, from, size, room);
  return copy(to, from, size, __builtin_return_address(0), ::memcpy);
}
void* __wrap_memmove(void* to, const void* from, std::size_t size) {
  return copy(to, from, size, __builtin_return_address(0), ::memmove);
}
void* __wrap___memmove_chk(void* to, const void* from, std::size_t size, std::size_t room) {
  if (size > room) return __memmove_chk(to, from, size, room);
  return copy(to, from, size, __builtin_return_address(0), ::memmove);
}
void* __wrap_memset(void* to, int value, std::size_t size) {
  return set(to, value, size, __builtin_return_address(0));
}
void* __wrap___memset_chk(void* to, int value, std::size_t size, std::size_t room) {
  if (size > room) return __memset_chk(to, value, size, room);
  return set(to, value, size, __builtin_return_address(0));
}
// What compilers make of a strcpy() whose end is asked for.
char* __wrap_stpcpy(char* to, const char* from) {
  char* end = nullptr;
  copy_string(
      to, from, __builtin_return_address(0), [from] { return string_size(from); },
      [&] { end = ::stpcpy(to, from); });
  return end;
}
char* __wrap___stpcpy_chk(char* to, const char* from, std::size_t room) {
  char* end = nullptr;
  copy_string(
      to, from, __builtin_return_address(0), [from] { return string_size(from); },
      [&] { end = __stpcpy_chk(to, from, room); });
  return end;
}
int __wrap_strcmp(const char* a, const char* b) {
  compare(a, b, __builtin_return_address(0),
          [](const void* text) { return string_size(static_cast<const char*>(text)); });
  return ::strcmp(a, b);
}
char* __wrap_strcpy(char* to, const char* from) {
  copy_string(
      to, from, __builtin_return_address(0), [from] { return string_size(from); },
      [&] { ::strcpy(to, from); });
  return to;
}
char* __wrap___strcpy_chk(char* to, const char* from, std::size_t room) {
  copy_string(
      to, from, __builtin_return_address(0), [from] { return string_size(from); },
      [&] { __strcpy_chk(to, from, room); });
  return to;
}
std::size_t __wrap_strlen(const char* text) {
  if (watched(text))
    load_string(text, __builtin_return_address(0), [text] { return string_size(text); });
  return ::strlen(text);
}
int __wrap_strncmp(const char* a, const char* b, std::size_t limit) {
  if (limit != 0)
    compare(a, b, __builtin_return_address(0), [limit](const void* text) {
      return string_size(static_cast<const char*>(text), limit);
    });
  return ::strncmp(a, b, limit);
}
// It fills the room with zeros, so it writes all of it.
char* __wrap_strncpy(char* to, const char* from, std::size_t room) {
  if (room == 0) return to;
  if (!watched(to)) {
    if (watched(from))
      load_string(from, __builtin_return_address(0), [&] { return string_size(from, room); });
    return ::strncpy(to, from, room);
  }
  store_range(
      to, nullptr, __builtin_return_address(0), [room] { return room; },
      [&] {
        if (watched(from)) tell_load(from, string_size(from, room), __builtin_return_address(0));
        ::strncpy(to, from, room);
      });
  return to;
}

}  // extern "C"
// NOLINTEND
