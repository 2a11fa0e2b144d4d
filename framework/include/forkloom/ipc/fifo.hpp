// A FIFO: a pipe with a path, whose two ends wait for each other when they are opened. fifo(7).
//
// Process-safety: make it with scenario::make<fifo>(name, path), before the processes that use it;
// they may call the openers. Not as a local of a scenario's body, which ends, and removes the file,
// before the processes begin (unless it calls finally()).
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "forkloom/ipc/error.hpp"
#include "forkloom/ipc/stream_end.hpp"

namespace forkloom::ipc {

class fifo {
 public:
  // Makes the file, which must not exist, for the same user to open.
  // Throws std::system_error: EEXIST, EACCES, ENOENT, … (mkfifo(3)).
  explicit fifo(std::string path) : path_(std::move(path)) {
    check_call(::mkfifo(path_.c_str(), 0600), "making the FIFO " + path_);
  }
  fifo(const fifo&) = delete;
  fifo& operator=(const fifo&) = delete;
  ~fifo() { ::unlink(path_.c_str()); }

  // Opens it for reading; waits for a writer. Throws std::system_error: ENOENT, EACCES, EINTR.
  [[nodiscard]] stream_end open_reader() const { return open(O_RDONLY); }

  // Opens it for writing; waits for a reader. Throws std::system_error: ENOENT, EACCES, EINTR.
  [[nodiscard]] stream_end open_writer() const { return open(O_WRONLY); }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  [[nodiscard]] stream_end open(int mode) const {
    return stream_end(check_call(::open(path_.c_str(), mode), "opening the FIFO " + path_));
  }

  std::string path_;
};

}  // namespace forkloom::ipc
