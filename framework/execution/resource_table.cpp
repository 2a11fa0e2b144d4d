#include "framework/execution/resource_table.hpp"

#include <algorithm>

#include "framework/strategy/random.hpp"

namespace forkloom::execution {
namespace {

std::uint64_t hash(const resource_key& key) noexcept {
  using strategy::mix;
  return mix(key.object ^ mix(key.offset + (static_cast<std::uint64_t>(key.where) << 56)));
}

}  // namespace

void resource_table::reset() noexcept {
  // Only the slots in use are cleared: an execution touches few of them, and each page that is
  // written here would be one more page fault.
  for (std::size_t i = 0; i < size_; ++i) {
    auto slot = hash(entries_[i].key) % slot_count;
    while (slots_[slot] != 0) {
      slots_[slot] = 0;
      slot = (slot + 1) % slot_count;
    }
  }
  size_ = 0;
  overflowed_ = false;
}

resource_id resource_table::find_or_add(const resource_key& key, resource_kind kind) noexcept {
  auto slot = hash(key) % slot_count;
  for (; slots_[slot] != 0; slot = (slot + 1) % slot_count) {
    const auto found = static_cast<std::uint32_t>(slots_[slot] - 1);
    auto& entry = entries_[found];
    if (!(entry.key == key)) continue;
    // A place that was only memory so far (it was cleared, say) turns out to be more than that.
    if (entry.kind == resource_kind::unknown || entry.kind == resource_kind::memory)
      entry.kind = kind;
    return resource_id{found};
  }
  if (size_ == resource_capacity) {
    overflowed_ = true;
    return resource_id{resource_capacity - 1};
  }
  entries_[size_] = resource{.key = key, .kind = kind};
  slots_[slot] = static_cast<std::uint16_t>(size_ + 1);
  return resource_id{size_++};
}

resource_id resource_table::find(const resource_key& key) const noexcept {
  for (auto slot = hash(key) % slot_count; slots_[slot] != 0; slot = (slot + 1) % slot_count)
    if (const auto found = static_cast<std::uint32_t>(slots_[slot] - 1); entries_[found].key == key)
      return resource_id{found};
  return no_resource;
}

void resource_table::set_name(resource_id id, std::string_view name) noexcept {
  auto& target = entries_[index(id)].name;
  const auto length = std::min(name.size(), target.size() - 1);
  std::copy_n(name.begin(), length, target.begin());
  target[length] = '\0';
}

}  // namespace forkloom::execution
