// When time-outs fire.
#pragma once

#include <cstdint>

namespace forkloom {

enum class timeout_policy : std::uint8_t {
  idle,  // when nobody can go on, time jumps to the next deadline: the machine is infinitely fast
  race,  // at any point, by choice of the strategy, and against the answer: the machine may be slow
  never,  // not at all: what waits for an answer that does not come is stuck; sleeps still elapse
};

}  // namespace forkloom
