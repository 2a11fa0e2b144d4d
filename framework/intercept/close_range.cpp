// Closing many descriptors at once.
//
// Resource, blocks, releases: as for close(2), for each descriptor that the tasks had to do with,
// in their order. The kernel then closes the rest: Forkloom's own are among them, and it can do
// without. Async-signal-safe: nothing is allocated, no lock is taken.
#include <unistd.h>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/open_descriptors.hpp"
#include "framework/intercept/descriptor.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;

constinit next<decltype(::close_range)> real_close_range{"close_range"};
constinit next<decltype(::closefrom)> real_closefrom{"closefrom"};

void close_known(unsigned first, unsigned last, const void* site) noexcept {
  execution::for_each_descriptor([&](int fd) {
    const auto number = static_cast<unsigned>(fd);
    if (number < first || number > last) return;
    if (execution::known_resource_of(fd) != no_resource) close_descriptor(fd, site);
  });
}

}  // namespace
}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

// With flags it closes nothing yet, or not for others.
int close_range(unsigned first, unsigned last, int flags) noexcept {
  if (controlled() && flags == 0 && first <= last)
    close_known(first, last, __builtin_return_address(0));
  return real_close_range(first, last, flags);
}

void closefrom(int lowest) noexcept {
  const auto first = lowest < 0 ? 0U : static_cast<unsigned>(lowest);
  if (controlled()) close_known(first, ~0U, __builtin_return_address(0));
  real_closefrom(lowest);
}

}  // extern "C"
