// pthread_once: what one thread initialises, others wait for.
//
// Resource: the flag, by its place. Owner: the task that runs the initialisation.
// Blocks: a call that comes while another one of the same process runs the routine; libc's would
// sleep on a futex.
// Releases: the end of the routine, be it by a return, an exception or a cancellation: then the
// flag is as new, and one of those that wait runs it again. The routine is called by libc's
// function, which also knows of forks in the middle of one.
#include "framework/intercept/once.hpp"

#include <atomic>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/intercept/next.hpp"

namespace forkloom::intercept {
namespace {

using execution::controlled;
using execution::controlled_call;

constinit next<decltype(::pthread_once)> real_once{"pthread_once"};

// glibc's flag: 1 while the routine runs, 2 when it has returned; above that, the generation of
// forks that it began in.
bool is_done(pthread_once_t* flag) noexcept {
  return (std::atomic_ref(*flag).load(std::memory_order_acquire) & 2) != 0;
}

task_id& owner_of(resource_id flag) noexcept {
  return execution::current_arena()->resources[flag].owner;
}

// While one lives, its task runs the routine.
class initialisation {
 public:
  explicit initialisation(resource_id flag) noexcept : flag_(flag) {
    owner_of(flag) = execution::self();
  }
  initialisation(const initialisation&) = delete;
  initialisation& operator=(const initialisation&) = delete;
  ~initialisation() {
    owner_of(flag_) = no_task;
    execution::changed(flag_);
  }

 private:
  resource_id flag_;
};

}  // namespace

int call_once(pthread_once_t* flag, void (*routine)(), const void* site) {
  controlled_call call{operation::once, execution::resource_at(flag, resource_kind::once), site};
  for (;;) {
    if (is_done(flag)) {
      call.asks(1, 0);
      return call.completed_unchanged(0);
    }
    if (owner_of(call.resource()) == no_task) break;
    call.block();
  }
  const initialisation first(call.resource());
  const execution::trap_resumption programs;
  const auto result = real_once.get()(flag, routine);
  return call.completed(result);
}

}  // namespace forkloom::intercept

using namespace forkloom;             // NOLINT: the definitions below cannot be in a namespace
using namespace forkloom::intercept;  // NOLINT

extern "C" {

int pthread_once(pthread_once_t* flag, void (*routine)()) {
  if (!controlled()) return real_once(flag, routine);
  return forkloom::intercept::call_once(flag, routine, __builtin_return_address(0));
}

}  // extern "C"
