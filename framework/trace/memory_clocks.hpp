// What instrumented atomics and fences order, as the C++20 standard says ([intro.races],
// [atomics.order], [atomics.fences]):
//   - a release store and every acquire load that reads the value, or one that read-modify-writes
//     made of it (its release sequence);
//   - a release fence counts for the relaxed stores after it, an acquire fence for the relaxed
//   loads
//     before it;
//   - a store by itself, relaxed or plain, ends the release sequence of what it overwrites.
//
// Which store a load reads from needs no search: an execution is sequentially consistent, so it is
// the latest one. Places are told apart by where they begin: accesses of different sizes that meet
// in the middle order nothing. Sequentially consistent fences are both release and acquire, and the
// single order that all of them have is not modelled.
#pragma once

#include <map>
#include <vector>

#include "framework/trace/memory_access.hpp"
#include "framework/trace/vector_clock.hpp"

namespace forkloom {

class memory_clocks {
 public:
  explicit memory_clocks(std::size_t tasks) : fenced_(tasks), seen_(tasks) {}

  // What happened before this access, or fence, joins its task's clock.
  void acquire(const event& e, vector_clock& own);

  // What this access, or fence, publishes; own: the clock of the event.
  void release(const event& e, const vector_clock& own);

 private:
  std::map<resource_id, vector_clock> published_;  // by the value that is there now
  std::vector<vector_clock> fenced_;               // by task: its clock at its latest release fence
  std::vector<vector_clock> seen_;  // by task: what its relaxed loads could have acquired
};

}  // namespace forkloom
