// One loop of loads and stores, compiled twice: as it is, and instrumented.
#pragma once

#include <cstdint>

namespace forkloom::bench {

// Words that the loop walks over, in an order that no processor foresees and no compiler
// vectorises.
inline constexpr std::uint32_t word_count = 4096;

// A load and a store in each round. Returns something that depends on all of them.
std::uint32_t plain_accesses(std::uint32_t* words, unsigned rounds);
std::uint32_t instrumented_accesses(std::uint32_t* words, unsigned rounds);

}  // namespace forkloom::bench
