// Messages that the program numbers, so that it can be told whether each was handled exactly once,
// and those of one sender in the order in which it sent them. Whatever carries them (a pipe, a
// queue, a socket, shared memory) is called a channel here and has any name.
//
//   send(order);                                    handle(receive());
//   forkloom::message_sent("orders", order.number);    forkloom::message_handled("orders", number);
//
// Forkloom does not make it so; it checks (docs/checkers.md, message). A number that was sent is
// the message, also if it is sent again because no answer came. Process-safety: any task may call
// these. Outside of an execution they do nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace forkloom {

// Must messages of one task be handled in the order in which that task sent them?
enum class message_order : std::uint8_t {
  of_sender,  // yes, whoever handles them
  any,        // no: a pool of workers, say
};

// To be called by the sender when the message is sent; several times, if it is sent again.
void message_sent(std::string_view channel, std::uint64_t number) noexcept;

// To be called when the message takes effect, and not by whoever only finds that it did before.
// That moment may be any time after the message was received.
void message_handled(std::string_view channel, std::uint64_t number,
                     message_order order = message_order::of_sender) noexcept;

}  // namespace forkloom
