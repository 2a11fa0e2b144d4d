#include "framework/strategy/random.hpp"

#include <array>
#include <cmath>

#include "tests/catch.hpp"

namespace {

using namespace forkloom::strategy;

// These numbers are in replay tokens and in people's notes: a change of the function breaks both.

TEST_CASE("the stream of a seed is that of SplitMix64") {
  generator zero(0);
  CHECK(zero.next() == 0xe220'a839'7b1d'cdaf);
  CHECK(zero.next() == 0x6e78'9e6a'a1b9'65f4);
  CHECK(zero.next() == 0x06c4'5d18'8009'454f);
  generator other(1234567);
  CHECK(other.next() == 6457827717110365317U);
  CHECK(other.next() == 3203168211198807973U);
  CHECK(other.next() == 9817491932198370423U);
}

TEST_CASE("the seeds of executions are the stream of the campaign's seed, in any order") {
  CHECK(execution_seed(0, 2) == 0x06c4'5d18'8009'454f);
  CHECK(execution_seed(0, 0) == 0xe220'a839'7b1d'cdaf);
  CHECK(execution_seed(1234567, 1) == 3203168211198807973U);
  static_assert(execution_seed(0, 1) == 0x6e78'9e6a'a1b9'65f4);
}

TEST_CASE("the finaliser is fixed, and zero stays zero") {
  CHECK(mix(0) == 0);
  CHECK(mix(golden_ratio) == 0xe220'a839'7b1d'cdaf);
}

TEST_CASE("a bounded number scales the draw down") {
  generator whole(0);
  generator bounded(0);
  for (int i = 0; i < 100; ++i) {
    const auto top_bits = whole.next() >> 60;
    CHECK(bounded.below(16) == top_bits);
  }
  CHECK(generator(5).below(1) == 0);
}

TEST_CASE("bounded numbers are uniform") {
  // 30,000 draws of 3: each count is within 5 standard deviations, but for one seed in 580,000.
  generator random(42);
  std::array<int, 3> counts{};
  for (int i = 0; i < 30'000; ++i) ++counts.at(random.below(3));
  for (const auto count : counts) CHECK(std::abs(count - 10'000) < 5 * 82);
}

}  // namespace
