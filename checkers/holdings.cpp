#include "checkers/holdings.hpp"

#include <utility>

namespace forkloom::checkers {
namespace {

// The kernel maps and unmaps whole pages, whatever lengths it is asked for.
constexpr std::uint64_t page = 4096;

std::uint64_t end_of(const event& e) { return e.after + (e.before + page - 1) / page * page; }

// The streams that every process has; nobody closes them.
constexpr std::uint64_t first_own_descriptor = 3;

}  // namespace

void holdings::take(const event& e, std::size_t at) {
  if (e.how != outcome::completed || e.error != 0 || e.result < 0) return;
  const auto result = static_cast<std::uint64_t>(e.result);
  switch (e.op) {
    case operation::pipe:
      opened(e.before, at);
      return opened(e.after, at);
    case operation::open:
    case operation::shm_open:
    case operation::mq_open:
    case operation::socket:
    case operation::accept:
    case operation::epoll_create:
    case operation::eventfd:
    case operation::memfd:
    case operation::timerfd:
      return opened(result, at);
    case operation::dup:
      // A descriptor duplicated onto itself stays what it was; onto another, that one is closed.
      if (e.before != result) opened(result, at);
      return;
    case operation::close:
    case operation::mq_close:
      descriptors_.erase(e.before);
      return;
    case operation::map:
    case operation::shmat:
      unmapped(e.after, end_of(e));
      mappings_.push_back({e.after, end_of(e), at});
      return;
    case operation::unmap:
    case operation::shmdt:
      return unmapped(e.after, end_of(e));
    case operation::fork:
      children_[task_id(e.after)] = at;
      return;
    case operation::wait_child:
      if (e.result > 0 && e.before == 0) children_.erase(task_id(e.after));
      return;
    case operation::thread_create:
      if (e.before == 0) threads_[task_id(e.after)] = at;
      return;
    case operation::thread_join:
    case operation::thread_detach:
      threads_.erase(task_id(e.after));
      return;
    default:
      return;
  }
}

void holdings::opened(std::uint64_t descriptor, std::size_t at) {
  if (descriptor >= first_own_descriptor) descriptors_[descriptor] = at;
}

void holdings::unmapped(std::uint64_t begin, std::uint64_t end) {
  for (const auto& m : std::exchange(mappings_, {})) {
    if (m.begin < begin) mappings_.push_back({m.begin, m.end < begin ? m.end : begin, m.made_by});
    if (end < m.end) mappings_.push_back({end < m.begin ? m.begin : end, m.end, m.made_by});
  }
}

}  // namespace forkloom::checkers
