// Blocks that the program marks as atomic.
//
// Resource: the block, by its name. Blocks and releases: nothing, and neither end of a block is a
// scheduling point: who comes between its accesses is decided at these.
#include "forkloom/atomically.hpp"

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"

namespace forkloom {
namespace {

void tell(operation op, resource_id block, const void* site) noexcept {
  execution::controlled_call::silent(op, block, site).completed(0);
}

}  // namespace

atomic_block::atomic_block(std::string_view name) noexcept {
  if (execution::controlled())
    tell(operation::enter_block, execution::resource_named(name, resource_kind::logical),
         __builtin_return_address(0));
}

atomic_block::~atomic_block() {
  if (execution::controlled())
    tell(operation::leave_block, no_resource, __builtin_return_address(0));
}

}  // namespace forkloom
