// What read and its relatives do with a signalfd. Async-signal-safe.
#pragma once

#include <sys/uio.h>

namespace forkloom::intercept {

ssize_t read_signalfd(int fd, const iovec* parts, int count, const void* site) noexcept;

}  // namespace forkloom::intercept
