#include "framework/cli/numbers.hpp"

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

using namespace forkloom;
using std::chrono::milliseconds;

TEST_CASE("numbers are decimal, or hexadecimal after 0x", "[cli]") {
  CHECK(cli::parse_number("--n", "42", 0, 100) == 42);
  CHECK(cli::parse_number("--n", "0x2a", 0, 100) == 42);
  CHECK(cli::parse_number("--n", "18446744073709551615", 0, ~std::uint64_t{0}) ==
        ~std::uint64_t{0});
}

TEST_CASE("the bounds of a number are allowed, what is beyond is not", "[cli]") {
  CHECK(cli::parse_number("--n", "3", 3, 5) == 3);
  CHECK(cli::parse_number("--n", "5", 3, 5) == 5);
  CHECK_THROWS_WITH(cli::parse_number("--n", "2", 3, 5),
                    "--n: '2' must be a whole number from 3 to 5");
  CHECK_THROWS_AS(cli::parse_number("--n", "6", 3, 5), usage_error);
}

TEST_CASE("what is no number is refused", "[cli]") {
  const auto* text = GENERATE("", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x", "0xg", "ten",
                              "18446744073709551616");
  CHECK_THROWS_AS(cli::parse_number("--n", text, 0, ~std::uint64_t{0}), usage_error);
}

TEST_CASE("times have a unit", "[cli]") {
  constexpr milliseconds day(86'400'000);
  CHECK(cli::parse_time("--t", "500ms", day) == milliseconds(500));
  CHECK(cli::parse_time("--t", "30s", day) == milliseconds(30'000));
  CHECK(cli::parse_time("--t", "5m", day) == milliseconds(300'000));
  CHECK(cli::parse_time("--t", "24h", day) == day);
}

TEST_CASE("what is no time, no time at all, or too long is refused", "[cli]") {
  const auto* text = GENERATE("", "s", "30", "0s", "-1s", "1.5s", "30 s", "3d", "30S", "61m",
                              "18446744073709551615h", "18446744073709552s");
  CHECK_THROWS_WITH(cli::parse_time("--t", text, milliseconds(3'600'000)),
                    Catch::StartsWith("--t: '" + std::string(text) + "' must be") &&
                        Catch::EndsWith("from 1ms to 3600s"));
}
