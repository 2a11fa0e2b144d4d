#include "framework/trace/memory_clocks.hpp"

namespace forkloom {

void memory_clocks::acquire(const event& e, vector_clock& own) {
  const auto access = access_of(e);
  auto& seen = seen_[index(e.task)];
  if (e.op == operation::fence) {
    if (access.acquires()) join(own, seen);
    return;
  }
  if (access.how != memory_access::sort::atomic || e.op == operation::store) return;
  const auto there = published_.find(e.resource);
  if (there == published_.end()) return;
  join(access.acquires() ? own : seen, there->second);
}

void memory_clocks::release(const event& e, const vector_clock& own) {
  const auto access = access_of(e);
  auto& fenced = fenced_[index(e.task)];
  if (e.op == operation::fence) {
    if (access.releases()) fenced = own;
    return;
  }
  if (e.op == operation::load) return;
  if (access.how != memory_access::sort::atomic) {
    published_.erase(e.resource);
    return;
  }
  auto& there = published_[e.resource];
  if (e.op == operation::store) there.clear();
  join(there, access.releases() ? own : fenced);
}

}  // namespace forkloom
