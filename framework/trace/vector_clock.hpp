// Happens-before as vector clocks: F. Mattern, "Virtual time and global states of distributed
// systems", 1989; the treatment of synchronisation follows C. Flanagan and S. N. Freund,
// "FastTrack: efficient and precise dynamic race detection", PLDI 2009. Their C and L are here the
// clocks of tasks and of resources; FastTrack's epochs, which save space, are left out, because
// clocks are made only for executions that are explained.
//
// One event happens before another if the program orders them, or synchronisation does:
//   - the events of one task, in their order;
//   - a fork and everything in the child; the death of a child and the wait that reaps it;
//   - the creation of a thread and everything in it; the end of a thread and the join with it, and
//     the end of its process;
//   - an operation that releases a resource and every later one that acquires it (traits());
//   - of message queues: a send and every later receive; a receive, which makes room, and every
//     later send; but no two sends and no two receives;
//   - of sockets: a send and every later receive at the socket that it was for, a receive and every
//     later send to there; a connect and every later accept; a listen and every later connect; a
//     shutdown or close, and whatever is done at either end afterwards;
//   - a condition wait gives up its mutex when it blocks and takes it again when it completes; if
//     it was signalled (and did not time out), all signals so far happened before that;
//   - the unlock of a read-write lock by a writer and all later locks, by a reader and later locks
//     for writing: readers are not ordered among themselves;
//   - every arrival at a barrier and every return from the same round of it;
//   - of semaphore sets: a post and every later semop that takes; one that takes and every later
//     wait for zero; the death of a task that used SEM_UNDO counts as both a post and a taking;
//   - the death of a task that holds a mutex and whoever takes the mutex afterwards (robust ones);
//   - of instrumented atomics: as their memory orders say (memory_clocks.hpp);
//   - an unlock of bytes of a file and every later record lock of some of them; a lock that becomes
//     a shared one, a close and a death count as unlocks of what the task may have had.
//
// Limits: plain loads and stores order nothing. Signals, semaphore posts and messages are not
// matched one to one with what they let go on, so some pairs count as ordered that another run
// would not order.
// Descriptors that the kernel closes at a death order nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "framework/trace/trace.hpp"

namespace forkloom {

// Per task: how many of its events happened before, or are, the one that the clock belongs to.
using vector_clock = std::vector<std::uint32_t>;

// The later of the two, in each of their numbers.
void join(vector_clock& into, const vector_clock& other);

// The clock of each event, in the order of the events. Takes memory for events × tasks numbers.
[[nodiscard]] std::vector<vector_clock> vector_clocks(const trace& what);

// Does the event with index `first` happen before the one with index `second`? An event does not
// happen before itself. clocks: as vector_clocks(what) returned them.
[[nodiscard]] bool happens_before(const trace& what, const std::vector<vector_clock>& clocks,
                                  std::size_t first, std::size_t second);

// The mutex that a condition wait gives up with this event; no_resource for every other event. (A
// condition wait that was signalled may block once more, for the mutex; it then gives up nothing.)
[[nodiscard]] resource_id mutex_given_up(const trace& what, const event& e);

// Has this event, the end of a condition wait, taken the mutex again?
[[nodiscard]] bool mutex_retaken(const event& e);

}  // namespace forkloom
