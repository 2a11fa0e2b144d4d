#include "framework/execution/journal.hpp"

namespace forkloom::execution {

void journal::reset() noexcept {
  event_count_ = 0;
  pick_count_ = 0;
  draw_count_ = 0;
  pages_used_ = 0;
}

journal_page* journal::open_page(journal_writer& writer) noexcept {
  if (pages_used_ == pages_.size()) return nullptr;
  auto& page = pages_[pages_used_];
  page.event_count = 0;
  page.pick_count = 0;
  page.draw_count = 0;
  writer.open_page = ++pages_used_;
  return &page;
}

}  // namespace forkloom::execution
