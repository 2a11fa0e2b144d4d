// The journal: the events of an execution, the picks of its schedule and its draws, as they were
// written down by whoever held the token.
//
// A page of shared memory must be mapped by each process that touches it, at the price of a page
// fault. So each task writes on pages of its own: a log common to all would cost every one of 64
// tasks a fault for every page, one fault per event. The order lies in the records instead: events
// and picks are numbered, and the reader puts them back into that order.
//
// Lives in the arena; needs no lock, because only the holder of the token writes. Allocates
// nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "framework/execution/task_set.hpp"
#include "framework/trace/event.hpp"
#include "framework/trace/ids.hpp"
#include "framework/trace/schedule.hpp"

namespace forkloom::execution {

inline constexpr std::size_t page_size = 4096;

struct numbered_event {
  event what;
  std::uint32_t number = 0;
};

struct numbered_pick {
  std::uint32_t number = 0;
  task_id task = no_task;
  pick_kind kind = pick_kind::usual;
};

struct numbered_draw {
  std::uint32_t number = 0;
  std::uint32_t step = 0;
  std::uint32_t value = 0;
  std::uint32_t bound = 0;
};

// About as many picks as events, as a call makes one of each, and fewer draws; what is full first
// ends the page.
struct alignas(page_size) journal_page {
  static constexpr std::size_t event_capacity = 40;
  static constexpr std::size_t pick_capacity = 50;
  static constexpr std::size_t draw_capacity = 30;

  std::uint32_t event_count = 0;
  std::uint32_t pick_count = 0;
  std::uint32_t draw_count = 0;
  std::array<numbered_event, event_capacity> events;
  std::array<numbered_pick, pick_capacity> picks;
  std::array<numbered_draw, draw_capacity> draws;
};
static_assert(sizeof(journal_page) == page_size);

// Enough for a million events however they are spread.
inline constexpr std::size_t journal_page_capacity =
    (std::size_t{1} << 20) / journal_page::event_capacity + task_capacity + 2;

// One that writes into the journal: a task, or the controller.
struct journal_writer {
  std::uint32_t open_page = 0;  // 1 + its page; 0: none yet
};

// Writers must begin anew after a reset.
class journal {
 public:
  explicit journal(std::span<journal_page> pages) noexcept : pages_(pages) {}

  void reset() noexcept;

  // Room for the next event, with everything but its number left over from before. Null if the
  // journal is full.
  [[nodiscard]] event* add_event(journal_writer& by) noexcept {
    auto* page = page_with_room(by, &journal_page::event_count, journal_page::event_capacity);
    if (page == nullptr) return nullptr;
    auto& entry = page->events[page->event_count++];
    entry.number = event_count_++;
    return &entry.what;
  }

  // The next pick. False if the journal is full.
  [[nodiscard]] bool add_pick(journal_writer& by, task_id picked, pick_kind kind) noexcept {
    auto* page = page_with_room(by, &journal_page::pick_count, journal_page::pick_capacity);
    if (page == nullptr) return false;
    page->picks[page->pick_count++] = {pick_count_++, picked, kind};
    return true;
  }

  // The next draw; its number is set here. False if the journal is full.
  [[nodiscard]] bool add_draw(journal_writer& by, numbered_draw drawn) noexcept {
    auto* page = page_with_room(by, &journal_page::draw_count, journal_page::draw_capacity);
    if (page == nullptr) return false;
    drawn.number = draw_count_++;
    page->draws[page->draw_count++] = drawn;
    return true;
  }

  [[nodiscard]] std::uint32_t event_count() const noexcept { return event_count_; }
  [[nodiscard]] std::uint32_t pick_count() const noexcept { return pick_count_; }
  [[nodiscard]] std::uint32_t draw_count() const noexcept { return draw_count_; }

  // Calls visit(number, event) for all events, those of one writer in order, else in any order.
  template <class Visit>
  void for_each_event(Visit&& visit) const {
    for (std::uint32_t p = 0; p < pages_used_; ++p)
      for (std::uint32_t i = 0; i < pages_[p].event_count; ++i)
        visit(pages_[p].events[i].number, pages_[p].events[i].what);
  }

  // Calls visit(pick), likewise.
  template <class Visit>
  void for_each_pick(Visit&& visit) const {
    for (std::uint32_t p = 0; p < pages_used_; ++p)
      for (std::uint32_t i = 0; i < pages_[p].pick_count; ++i) visit(pages_[p].picks[i]);
  }

  // Calls visit(draw), likewise.
  template <class Visit>
  void for_each_draw(Visit&& visit) const {
    for (std::uint32_t p = 0; p < pages_used_; ++p)
      for (std::uint32_t i = 0; i < pages_[p].draw_count; ++i) visit(pages_[p].draws[i]);
  }

 private:
  journal_page* page_with_room(journal_writer& writer, std::uint32_t journal_page::*count,
                               std::uint32_t capacity) noexcept {
    if (writer.open_page != 0) {
      auto& page = pages_[writer.open_page - 1];
      if (page.*count < capacity) return &page;
    }
    return open_page(writer);
  }
  journal_page* open_page(journal_writer& writer) noexcept;

  std::uint32_t event_count_ = 0;
  std::uint32_t pick_count_ = 0;
  std::uint32_t draw_count_ = 0;
  std::uint32_t pages_used_ = 0;
  std::span<journal_page> pages_;  // at the same address in every process
};

}  // namespace forkloom::execution
