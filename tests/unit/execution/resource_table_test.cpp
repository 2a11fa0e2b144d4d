#include "framework/execution/resource_table.hpp"

#include <memory>
#include <string>

#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::execution;
using space = resource_key::space;

std::unique_ptr<resource_table> made() { return std::make_unique<resource_table>(); }

TEST_CASE("the same key is the same resource, in the order of first use") {
  const auto table = made();
  const auto first = table->find_or_add({space::mapping, 7, 64}, resource_kind::mutex);
  const auto second = table->find_or_add({space::mapping, 7, 128}, resource_kind::mutex);
  CHECK(first == resource_id{0});
  CHECK(second == resource_id{1});
  CHECK(table->find_or_add({space::mapping, 7, 64}, resource_kind::mutex) == first);
  CHECK(table->size() == 2);
}

TEST_CASE("keys differ by each of their members") {
  const auto table = made();
  const auto first = table->find_or_add({space::mapping, 7, 64}, resource_kind::unknown);
  CHECK(table->find_or_add({space::file, 7, 64}, resource_kind::unknown) != first);
  CHECK(table->find_or_add({space::mapping, 8, 64}, resource_kind::unknown) != first);
  CHECK(table->find_or_add({space::mapping, 7, 65}, resource_kind::unknown) != first);
}

TEST_CASE("a kind that was unknown is learnt, a known one is kept") {
  const auto table = made();
  const auto id = table->find_or_add({space::mapping, 7, 64}, resource_kind::unknown);
  (void)table->find_or_add({space::mapping, 7, 64}, resource_kind::mutex);
  CHECK((*table)[id].kind == resource_kind::mutex);
  (void)table->find_or_add({space::mapping, 7, 64}, resource_kind::memory);
  CHECK((*table)[id].kind == resource_kind::mutex);
}

TEST_CASE("a name that is too long is cut, and ends") {
  const auto table = made();
  const auto id = table->find_or_add({space::named, 7, 0}, resource_kind::semaphore);
  table->set_name(id, "gate");
  CHECK(std::string((*table)[id].name.data()) == "gate");
  const std::string longer(resource_name_size, 'x');
  table->set_name(id, longer);
  CHECK(std::string((*table)[id].name.data()) == longer.substr(1));
}

TEST_CASE("a table that was reset knows nothing of what was in it") {
  const auto table = made();
  for (std::uint64_t i = 0; i < 5000; ++i)
    (void)table->find_or_add({space::mapping, i, 0}, resource_kind::mutex);
  table->reset();
  CHECK(table->size() == 0);
  const auto id = table->find_or_add({space::mapping, 4999, 0}, resource_kind::unknown);
  CHECK(id == resource_id{0});
  CHECK((*table)[id].kind == resource_kind::unknown);
  CHECK((*table)[id].owner == no_task);
  for (std::uint64_t i = 0; i < 5000; ++i)
    (void)table->find_or_add({space::mapping, i, 0}, resource_kind::unknown);
  CHECK(table->size() == 5000);
}

TEST_CASE("a full table keeps what it has and lets all further resources share the last") {
  const auto table = made();
  for (std::uint64_t i = 0; i < resource_capacity; ++i)
    REQUIRE(index(table->find_or_add({space::mapping, i, 0}, resource_kind::mutex)) == i);
  CHECK_FALSE(table->overflowed());
  const resource_id last{resource_capacity - 1};
  CHECK(table->find_or_add({space::file, 1, 0}, resource_kind::pipe) == last);
  CHECK(table->find_or_add({space::file, 2, 0}, resource_kind::pipe) == last);
  CHECK(table->overflowed());
  CHECK(table->find_or_add({space::mapping, 5, 0}, resource_kind::mutex) == resource_id{5});
  table->reset();
  CHECK_FALSE(table->overflowed());
}

}  // namespace
