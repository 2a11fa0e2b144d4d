// All of Forkloom's public face: scenarios, expectations, and handles of what processes share.
#pragma once

#include "forkloom/atomically.hpp"
#include "forkloom/error.hpp"
#include "forkloom/expect.hpp"
#include "forkloom/ipc/condition.hpp"
#include "forkloom/ipc/fifo.hpp"
#include "forkloom/ipc/message_queue.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/named_semaphore.hpp"
#include "forkloom/ipc/pipe.hpp"
#include "forkloom/ipc/semaphore.hpp"
#include "forkloom/memory.hpp"
#include "forkloom/options.hpp"
#include "forkloom/registry.hpp"
#include "forkloom/scenario.hpp"
#include "forkloom/shared.hpp"
#include "forkloom/violation.hpp"
