// Initialisation by the first who comes, for the families that are another way to write it.
#pragma once

#include <pthread.h>

namespace forkloom::intercept {

// As pthread_once(3), with an event. Requires that controlled() has said yes; site: where the
// intercepted call returns to. Exceptions and cancellation of the routine pass through.
int call_once(pthread_once_t* flag, void (*routine)(), const void* site);

}  // namespace forkloom::intercept
