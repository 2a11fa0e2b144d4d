// One end of a pipe or a FIFO: a descriptor that closes itself.
//
// Process-safety: the handle belongs to the process that made it, and every process forked from it
// has its own copy of the descriptor. Do not put it into shared memory.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "forkloom/ipc/error.hpp"

namespace forkloom::ipc {

class stream_end {
 public:
  stream_end() = default;                                           // closed
  explicit stream_end(int descriptor) : descriptor_(descriptor) {}  // owns it
  stream_end(stream_end&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  stream_end& operator=(stream_end&& other) noexcept {
    if (this != &other) {
      close();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  ~stream_end() { close(); }

  // Closes it in the calling process. Nothing happens if it is closed.
  void close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  // Writes all bytes; waits while the pipe is full, and goes on after signals.
  // Throws std::system_error: EPIPE without a reader (if SIGPIPE does not kill the caller), EAGAIN
  // with O_NONBLOCK, when part may have been written (write(2), pipe(7)).
  void write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      bytes.remove_prefix(static_cast<std::size_t>(check_call(written, "writing to a pipe")));
    }
  }

  // One read(2): waits while the pipe is empty. Returns the number of bytes read, 0 when nobody
  // can write any more. Throws std::system_error: EINTR, EAGAIN with O_NONBLOCK.
  [[nodiscard]] std::size_t read(std::span<char> bytes) {
    return static_cast<std::size_t>(
        check_call(::read(descriptor_, bytes.data(), bytes.size()), "reading from a pipe"));
  }

  // Reads until there are `size` bytes, or fewer because nobody can write any more; goes on after
  // signals. Throws std::system_error: EAGAIN with O_NONBLOCK.
  [[nodiscard]] std::string read_exactly(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const auto more = ::read(descriptor_, bytes.data() + got, size - got);
      if (more < 0 && errno == EINTR) continue;
      if (check_call(more, "reading from a pipe") == 0) break;
      got += static_cast<std::size_t>(more);
    }
    bytes.resize(got);
    return bytes;
  }

  // The real descriptor; -1 if closed. It stays the handle's.
  [[nodiscard]] int native_handle() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

}  // namespace forkloom::ipc
