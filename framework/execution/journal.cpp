#include "framework/execution/journal.hpp"

namespace forkloom::execution {

void journal::reset() noexcept {
  event_count_ = 0;
  pick_count_ = 0;
  pages_used_ = 0;
  open_ = {};
}

journal_page* journal::open_page(std::size_t place) noexcept {
  if (pages_used_ == page_capacity) return nullptr;
  auto& page = pages_[pages_used_];
  page.event_count = 0;
  page.pick_count = 0;
  open_[place] = ++pages_used_;
  return &page;
}

}  // namespace forkloom::execution
