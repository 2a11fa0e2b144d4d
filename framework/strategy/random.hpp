// The pseudo-random numbers of a campaign. Everything random in Forkloom comes from here, so a seed
// is enough to repeat it; the functions are fixed, because replay tokens rely on them.
#pragma once

#include <cstdint>

namespace forkloom::strategy {

// SplitMix64's finaliser (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
// OOPSLA 2014): a bijection on 64 bits in which every input bit reaches every output bit.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9;
  x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11eb;
  return x ^ (x >> 31);
}

inline constexpr std::uint64_t golden_ratio = 0x9e37'79b9'7f4a'7c15;

// The seed of execution `number` (from 0) of a campaign: the (number + 1)-th output of SplitMix64
// started with the campaign's seed. Any execution can be reached without running those before it.
[[nodiscard]] constexpr std::uint64_t execution_seed(std::uint64_t campaign,
                                                     std::uint64_t number) noexcept {
  return mix(campaign + golden_ratio * (number + 1));
}

// SplitMix64 as a stream.
class generator {
 public:
  explicit constexpr generator(std::uint64_t seed = 0) noexcept : state_(seed) {}

  constexpr std::uint64_t next() noexcept { return mix(state_ += golden_ratio); }

  // Uniform in [0, bound). Requires bound > 0. The product with a 64-bit draw is biased by less
  // than bound / 2^64, which no test of any length we run could notice.
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

 private:
  std::uint64_t state_;
};

}  // namespace forkloom::strategy
