#include "tests/bench/memory_accesses.hpp"

namespace forkloom::bench {

#if defined(FORKLOOM_BENCH_INSTRUMENTED)
std::uint32_t instrumented_accesses(std::uint32_t* words, unsigned rounds) {
#else
std::uint32_t plain_accesses(std::uint32_t* words, unsigned rounds) {
#endif
  std::uint32_t at = 0;
  for (unsigned i = 0; i < rounds; ++i) {
    auto& word = words[at];
    word += i;
    at = (word * 1'664'525 + 1'013'904'223) % word_count;
  }
  return at;
}

}  // namespace forkloom::bench
