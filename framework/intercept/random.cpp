// Random bytes that the system gives.
//
// Resource: none; nobody else can notice. Blocks: never. Releases: nothing. No event is written.
//
// In a task they follow from the execution's seed, the process and how many it has had already, so
// that runs repeat: a hash table's seed, a temporary name. They are not drawn from the strategy,
// whose choices must not depend on what a program asks for. The real call is made first and judges
// the arguments.
#include <stdlib.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/execution/call.hpp"
#include "framework/intercept/next.hpp"
#include "framework/strategy/random.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;

constinit next<decltype(::arc4random)> real_arc4random{"arc4random"};
constinit next<decltype(::arc4random_buf)> real_arc4random_buf{"arc4random_buf"};
constinit next<decltype(::arc4random_uniform)> real_arc4random_uniform{"arc4random_uniform"};
constinit next<decltype(::getentropy)> real_getentropy{"getentropy"};
constinit next<decltype(::getrandom)> real_getrandom{"getrandom"};

std::uint64_t next_number() noexcept {
  auto& a = *execution::current_arena();
  const auto process = index(a[execution::self()].process);
  const auto number = ++a.details[process].random_count;
  return strategy::mix(a.config.random_seed ^
                       strategy::mix(static_cast<std::uint64_t>(process) << 40 ^ number));
}

void fill(void* buffer, std::size_t size) noexcept {
  auto* at = static_cast<char*>(buffer);
  while (size > 0) {
    const auto number = next_number();
    const auto part = std::min(size, sizeof number);
    std::memcpy(at, &number, part);
    at += part;
    size -= part;
  }
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

std::uint32_t arc4random() noexcept {
  if (!controlled()) return real_arc4random();
  return static_cast<std::uint32_t>(next_number());
}

void arc4random_buf(void* buffer, std::size_t size) noexcept {
  if (!controlled()) return real_arc4random_buf(buffer, size);
  fill(buffer, size);
}

std::uint32_t arc4random_uniform(std::uint32_t bound) noexcept {
  if (!controlled()) return real_arc4random_uniform(bound);
  return bound < 2 ? 0
                   : static_cast<std::uint32_t>(strategy::generator(next_number()).below(bound));
}

int getentropy(void* buffer, std::size_t size) {
  const auto result = real_getentropy(buffer, size);
  if (result == 0 && controlled()) fill(buffer, size);
  return result;
}

ssize_t getrandom(void* buffer, std::size_t size, unsigned flags) {
  const auto result = real_getrandom(buffer, size, flags);
  if (result > 0 && controlled()) fill(buffer, static_cast<std::size_t>(result));
  return result;
}

}  // extern "C"
