#include "framework/explore/coverage_book.hpp"

#include "framework/explore/progress.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using explore::coverage_book;

TEST_CASE("what was seen before is not new") {
  coverage_book book;
  book.add({.class_hash = 1, .orderings = {10, 11}, .lock_states = {20}});
  CHECK(book.last_gain().new_class);
  CHECK(book.last_gain().orderings == 2);
  CHECK(book.last_gain().lock_states == 1);
  book.add({.class_hash = 1, .orderings = {10, 12}, .lock_states = {}});
  CHECK_FALSE(book.last_gain().new_class);
  CHECK(book.last_gain().orderings == 1);
  CHECK(book.last_gain().lock_states == 0);
  CHECK(book.classes() == 1);
  CHECK(book.orderings() == 3);
  CHECK(book.lock_states() == 1);
  CHECK(book.last_new() == 2);
}

TEST_CASE("classes are counted by how often they were seen") {
  coverage_book book;
  for (const auto c : {1U, 2U, 3U, 2U, 3U, 3U}) book.add({.class_hash = c});
  CHECK(book.classes_seen_once() == 1);
  CHECK(book.classes_seen_twice() == 1);
  CHECK(book.executions() == 6);
}

TEST_CASE("a campaign is saturated after 200 executions with nothing new") {
  coverage_book book;
  book.add({.class_hash = 1});
  for (int i = 0; i < 199; ++i) book.add({.class_hash = 1});
  CHECK_FALSE(book.saturated());
  book.add({.class_hash = 1});
  CHECK(book.saturated());
}

TEST_CASE("a new class or ordering asks for as many executions again as there were") {
  coverage_book book;
  for (int i = 0; i < 999; ++i) book.add({.class_hash = 1});
  book.add({.class_hash = 1, .orderings = {5}});  // the 1,000th
  CHECK_FALSE(book.saturated());
  for (int i = 0; i < 999; ++i) book.add({.class_hash = 1});
  CHECK_FALSE(book.saturated());
  book.add({.class_hash = 1});
  CHECK(book.saturated());
}

TEST_CASE("a new state of locks alone does not keep a campaign from being saturated") {
  coverage_book book;
  for (std::uint64_t i = 0; i < 300; ++i) book.add({.class_hash = 1, .lock_states = {i}});
  CHECK(book.saturated());
  CHECK(book.lock_states() == 300);
}

TEST_CASE("the progress line says what was seen, and how fast") {
  coverage_book book;
  book.add({.class_hash = 1, .orderings = {10, 11}, .lock_states = {20}});
  book.add({.class_hash = 2, .orderings = {}, .lock_states = {21, 22}});
  CHECK(explore::progress_text("a counter", book, 0.5) ==
        "a counter: 2 executions, 4/s, 2 classes, 2 orderings, 3 lock states");
  CHECK(explore::progress_text("a counter", book, 0) ==
        "a counter: 2 executions, 0/s, 2 classes, 2 orderings, 3 lock states");
}

}  // namespace
