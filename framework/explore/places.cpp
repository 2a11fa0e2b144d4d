#include "framework/explore/places.hpp"

#include <algorithm>
#include <tuple>

#include "framework/trace/memory_access.hpp"

namespace forkloom::explore {
namespace {

// The most bytes that an access to each resource touched; 1 where that is not told.
std::vector<std::uint64_t> sizes_of(const trace& what) {
  std::vector<std::uint64_t> sizes(what.resources.size(), 1);
  for (const auto& e : what.events)
    if (index(e.resource) < sizes.size())
      sizes[index(e.resource)] = std::max(sizes[index(e.resource)], access_of(e).size);
  return sizes;
}

}  // namespace

places::places(const trace& what) : of_(what.resources.size()) {
  const auto count = static_cast<std::uint32_t>(of_.size());
  const auto records = count;
  for (std::uint32_t i = 0; i < count; ++i)
    of_[i] = what.resources[i].kind == resource_kind::record_lock ? records : i;
  lives_ = count + 1;
  copies_ = lives_ + static_cast<std::uint32_t>(what.tasks.size());
  join_overlapping(what);
}

void places::join_overlapping(const trace& what) {
  const auto sizes = sizes_of(what);
  std::vector<std::uint32_t> mapped;
  for (std::uint32_t i = 0; i < of_.size(); ++i)
    if (what.resources[i].object != 0) mapped.push_back(i);
  std::sort(mapped.begin(), mapped.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto key = [&](std::uint32_t i) {
      return std::tuple(what.resources[i].object, what.resources[i].offset, i);
    };
    return key(a) < key(b);
  });
  std::uint32_t object = 0;
  std::uint32_t first = 0;  // of the resources that overlap one after the other
  std::uint64_t end = 0;
  for (const auto i : mapped) {
    const auto& r = what.resources[i];
    if (r.object != object || r.offset >= end) {
      object = r.object;
      first = i;
      end = 0;
    }
    of_[i] = of_[first];
    end = std::max(end, r.offset + sizes[i]);
  }
}

}  // namespace forkloom::explore
