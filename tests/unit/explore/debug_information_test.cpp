#include "framework/explore/debug_information.hpp"

#include "tests/catch.hpp"

namespace {

using forkloom::explore::debug_information;

[[gnu::noinline]] std::uint64_t return_address() {
  return reinterpret_cast<std::uint64_t>(__builtin_return_address(0));  // NOLINT: as a number
}

constexpr unsigned line_in_inlined = __LINE__ + 1;
[[gnu::always_inline]] inline std::uint64_t inlined() { return return_address(); }

TEST_CASE("an address has the line of its instruction, then those of the calls around it") {
  const auto address = inlined();
  constexpr unsigned line_of_call = __LINE__ - 1;
  const auto lines = debug_information().lines_at(address - 1);
  REQUIRE(lines.size() >= 2);
  CHECK(lines[0].line == line_in_inlined);
  CHECK(lines[1].line == line_of_call);
  CHECK_THAT(lines[0].file, Catch::EndsWith("debug_information_test.cpp"));
  CHECK_THAT(lines[1].file, Catch::EndsWith("debug_information_test.cpp"));
}

TEST_CASE("a function of a class within a function has lines too") {
  struct local {
    [[gnu::noinline]] static std::uint64_t address() { return inlined(); }
  };
  constexpr unsigned line_of_call = __LINE__ - 2;
  const auto lines = debug_information().lines_at(local::address() - 1);
  REQUIRE(lines.size() >= 2);
  CHECK(lines[0].line == line_in_inlined);
  CHECK(lines[1].line == line_of_call);
}

TEST_CASE("an address that is in no program has no lines") {
  CHECK(debug_information().lines_at(1).empty());
}

}  // namespace
