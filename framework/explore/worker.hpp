// A worker: a process of its own in which a campaign runs, apart from the caller and from the host.
#pragma once

#include <functional>
#include <string>

#include "framework/execution/isolation.hpp"

namespace forkloom::explore {

struct worker_context {
  execution::isolation world;
  int stop_fd = -1;  // hangs up when the campaign shall stop, or when the caller is gone
};

// Runs `work` in a worker and returns what it returns. Exceptions of `work` arrive as what they
// were, if they are usage_error, else as internal_error. Throws internal_error if the worker cannot
// be made or dies. While it runs, SIGINT and SIGTERM stop the work early, through stop_fd, instead
// of ending this process; see interrupting_signal().
[[nodiscard]] std::string run_in_worker(
    const std::function<std::string(const worker_context&)>& work);

}  // namespace forkloom::explore
