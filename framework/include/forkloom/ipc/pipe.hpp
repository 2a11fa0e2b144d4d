// A pipe between processes: pipe(2), pipe(7).
//
//   forkloom::ipc::pipe orders;
//   scenario.process("shop", [&] { orders.writer().write_all("bread"); });
//   scenario.process("bakery", [&] { const auto order = orders.reader().read_exactly(5); });
//
// Process-safety: make it a local of the scenario's body, before the processes that use it. Each
// inherits both ends and may close its own without a change for the others. Not for shared memory:
// which ends are open is every process's own affair.
#pragma once

#include <unistd.h>

#include <array>

#include "forkloom/ipc/error.hpp"
#include "forkloom/ipc/stream_end.hpp"

namespace forkloom::ipc {

class pipe {
 public:
  // Both ends open, blocking. Throws std::system_error: EMFILE, ENFILE.
  pipe() {
    std::array<int, 2> ends{};
    check_call(::pipe(ends.data()), "making a pipe");
    read_end_ = stream_end(ends[0]);
    write_end_ = stream_end(ends[1]);
  }

  // The ends, as they are in the calling process.
  [[nodiscard]] stream_end& read_end() noexcept { return read_end_; }
  [[nodiscard]] stream_end& write_end() noexcept { return write_end_; }

  // Makes the calling process a reader: closes its write end, without which it would wait for
  // itself instead of seeing the end of the stream. Returns the read end.
  stream_end& reader() noexcept {
    write_end_.close();
    return read_end_;
  }

  // Makes the calling process a writer: closes its read end, so that it learns when no reader is
  // left. Returns the write end.
  stream_end& writer() noexcept {
    read_end_.close();
    return write_end_;
  }

 private:
  stream_end read_end_;
  stream_end write_end_;
};

}  // namespace forkloom::ipc
