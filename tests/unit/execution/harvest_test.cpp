// What a harvest says of an execution as a whole.
#include <memory>
#include <string>

#include "framework/execution/harvest.hpp"
#include "framework/execution/scheduler.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::execution;

TEST_CASE("resources that are not told apart any more are named as not under control") {
  const std::unique_ptr<arena, decltype(&unmap_arena)> memory{map_arena(), unmap_arena};
  auto& a = *memory;
  const auto use = [&](std::uint64_t offset) {
    static_cast<void>(
        a.resources.find_or_add({resource_key::space::mapping, 1, offset}, resource_kind::memory));
  };
  for (std::uint64_t i = 0; i < resource_capacity; ++i) use(i);
  CHECK(to_trace(a).passed.empty());
  use(resource_capacity);
  const auto what = to_trace(a);
  REQUIRE(what.passed.size() == 1);
  CHECK(what.passed[0].name == "resources beyond the first 8192");
  CHECK(what.passed[0].stack.empty());
}

}  // namespace
