// What read and write do, if the descriptor is a socket. Async-signal-safe.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

namespace forkloom::intercept {

// Each is the call of that name, in a task, with a descriptor of a socket.
ssize_t read_socket(int fd, void* buffer, std::size_t count, const void* site) noexcept;
ssize_t readv_socket(int fd, const iovec* parts, int count, const void* site) noexcept;
ssize_t sendfile_socket(int fd, int in, off_t* offset, std::size_t count,
                        const void* site) noexcept;
ssize_t write_socket(int fd, const void* buffer, std::size_t count, const void* site) noexcept;
ssize_t writev_socket(int fd, const iovec* parts, int count, const void* site) noexcept;

}  // namespace forkloom::intercept
