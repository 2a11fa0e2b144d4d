// The resources of one execution, found by identity and numbered in the order of first use.
// Lives in the arena; used by whoever holds the token, so it needs no lock. Allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "framework/execution/task_set.hpp"
#include "framework/trace/ids.hpp"
#include "framework/trace/operation.hpp"

namespace forkloom::execution {

inline constexpr std::size_t resource_capacity = 8192;
inline constexpr std::size_t resource_name_size = 96;

// What makes a resource the same one in two processes, whatever addresses they see it at.
struct resource_key {
  enum class space : std::uint8_t {
    none,
    mapping,         // device, inode and offset of a shared mapping (any kind of shared memory)
    private_memory,  // task's process, address
    file,            // device and inode (pipes, FIFOs, files); offset: its kind of locks
    entry,           // device and inode of a directory, hash of a name in it
    children,        // the children of a task
    named,           // hash of a name (semaphores and segments before they are mapped)
    logical,         // hash of a name given by the scenario
    system_v,        // kind of a System V object, its id
    system_v_key,    // kind of a System V object, the key that leads to it
    thread,          // a task, as a thread that can be joined
    futex,           // as mapping, of words that processes wait for
    private_futex,   // as private_memory, of words that threads wait for
    event_source,    // an eventfd, a timerfd or an epoll, in the order in which they were made
    signals,         // a process, the number of a signal; 0: all of them
  };
  space where = space::none;
  std::uint64_t object = 0;  // device and inode mixed, or the task
  std::uint64_t offset = 0;

  friend bool operator==(const resource_key&, const resource_key&) = default;
};

// The key of a System V object.
[[nodiscard]] constexpr resource_key key_of_system_v(int id, resource_kind kind) noexcept {
  return {resource_key::space::system_v, static_cast<std::uint64_t>(kind),
          static_cast<std::uint64_t>(id)};
}

struct resource {
  resource_key key;
  resource_kind kind = resource_kind::unknown;
  task_id owner = no_task;               // who holds it; only kinds that have owners
  std::uint32_t generation = 0;          // counts re-initialisations of the same place
  std::array<std::uint64_t, 4> model{};  // the family's own state, if no kernel object keeps it
  task_set waiters;
  std::array<char, resource_name_size> name{};  // empty until somebody names it
};

class resource_table {
 public:
  void reset() noexcept;

  // The resource with that key; made on first use. If the table is full, all further resources
  // share the last entry, so nothing is lost but precision; see overflowed().
  [[nodiscard]] resource_id find_or_add(const resource_key& key, resource_kind kind) noexcept;

  // The resource with that key; no_resource if nobody has used it.
  [[nodiscard]] resource_id find(const resource_key& key) const noexcept;

  [[nodiscard]] resource& operator[](resource_id id) noexcept { return entries_[index(id)]; }
  [[nodiscard]] const resource& operator[](resource_id id) const noexcept {
    return entries_[index(id)];
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

  // Names a resource; longer names are cut.
  void set_name(resource_id id, std::string_view name) noexcept;

 private:
  static constexpr std::size_t slot_count = 2 * resource_capacity;

  std::uint32_t size_ = 0;
  bool overflowed_ = false;
  std::array<std::uint16_t, slot_count> slots_{};  // open addressing; 1 + index, 0: free
  std::array<resource, resource_capacity> entries_{};
};

}  // namespace forkloom::execution
