// Messages that the program numbers.
//
// Resource: the channel, by its name. Blocks and releases: nothing. That a message takes effect is
// a scheduling point: before it others may handle theirs. That it was sent is none, as that has
// happened in the call before.
//
// The number is the event's `after`; `before` is 1 if a message may be handled in any order.
#include "forkloom/messages.hpp"

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"

namespace forkloom {
namespace {

resource_id channel_called(std::string_view name) noexcept {
  return execution::resource_named(name, resource_kind::logical);
}

}  // namespace

void message_sent(std::string_view channel, std::uint64_t number) noexcept {
  if (!execution::controlled()) return;
  execution::controlled_call::silent(operation::message_sent, channel_called(channel),
                                     __builtin_return_address(0))
      .completed(0, 0, number);
}

void message_handled(std::string_view channel, std::uint64_t number, message_order order) noexcept {
  if (!execution::controlled()) return;
  execution::controlled_call call{operation::message_handled, channel_called(channel),
                                  __builtin_return_address(0)};
  call.completed(0, order == message_order::any ? 1 : 0, number);
}

}  // namespace forkloom
