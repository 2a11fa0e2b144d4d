#include "framework/trace/operation.hpp"

#include <array>
#include <cstddef>

namespace forkloom {
namespace {

constexpr auto operation_count = static_cast<std::size_t>(operation::count_);

// In the order of the enumeration: name, acquires, releases, changes.
constexpr std::array<operation_traits, operation_count> operations{{
    {"none", false, false, false},
    {"start", true, false, true},
    {"exit", false, true, true},
    {"fork", false, true, true},
    {"wait for child", true, false, true},
    {"kill", false, true, true},
    {"load", false, false, false},
    {"store", false, false, true},
    {"modify", true, true, true},
    {"mutex init", false, true, true},
    {"lock", true, false, true},
    {"trylock", true, false, true},
    {"unlock", false, true, true},
    {"consistent", false, false, true},
    {"mutex destroy", true, false, true},
    {"cond init", false, true, true},
    {"cond wait", true, false, true},
    {"signal", false, true, true},
    {"broadcast", false, true, true},
    {"cond destroy", true, false, true},
    {"sem init", false, true, true},
    {"sem open", true, true, true},
    {"sem wait", true, false, true},
    {"sem trywait", true, false, true},
    {"sem post", false, true, true},
    {"sem getvalue", false, false, false},
    {"sem close", false, false, true},
    {"sem unlink", false, true, true},
    {"sem destroy", true, false, true},
    {"pipe", false, false, true},
    {"mkfifo", false, true, true},
    {"open", true, true, true},
    {"read", true, true, true},
    {"write", true, true, true},
    {"close", false, true, true},
    {"dup", false, false, true},
    {"poll", true, false, false},
    {"unlink", false, true, true},
    {"shm_open", true, true, true},
    {"shm_unlink", false, true, true},
    {"map", false, false, true},
    {"unmap", false, false, true},
    {"yield", false, false, false},
    {"sleep", false, false, false},
    {"clock", false, false, false},
    {"request", false, false, false},
    {"grant", false, false, true},
    {"give back", false, false, true},
    {"expect", false, false, true},
    {"rwlock init", false, true, true},
    {"read lock", true, false, true},
    {"read trylock", true, false, true},
    {"write lock", true, false, true},
    {"write trylock", true, false, true},
    {"rwlock unlock", false, true, true},
    {"rwlock destroy", true, false, true},
    {"barrier init", false, true, true},
    {"barrier wait", true, true, true},
    {"barrier destroy", true, false, true},
    {"spin init", false, true, true},
    {"spin lock", true, false, true},
    {"spin trylock", true, false, true},
    {"spin unlock", false, true, true},
    {"spin destroy", true, false, true},
    {"mq open", true, true, true},
    {"mq send", true, true, true},
    {"mq receive", true, true, true},
    {"mq attributes", false, false, true},
    {"mq notify", false, false, true},
    {"mq close", false, false, true},
    {"mq unlink", false, true, true},
    {"shmget", true, true, true},
    {"shmat", true, false, true},
    {"shmdt", false, true, true},
    {"shmctl", false, true, true},
    {"semget", true, true, true},
    {"semop", true, true, true},
    {"semctl", true, true, true},
    {"msgget", true, true, true},
    {"msgsnd", true, true, true},
    {"msgrcv", true, true, true},
    {"msgctl", false, true, true},
    {"socket", false, false, true},
    {"bind", false, true, true},
    {"listen", false, true, true},
    {"accept", true, true, true},
    {"connect", true, true, true},
    {"send", true, true, true},
    {"receive", true, true, true},
    {"shutdown", false, true, true},
    {"socket option", false, false, true},
    {"flock", true, false, true},
    {"file unlock", false, true, true},
    {"record lock", true, false, true},
    {"record trylock", true, false, true},
    {"record unlock", false, true, true},
    {"select", true, false, false},
    {"epoll ctl", false, false, true},
    {"epoll wait", true, false, false},
    {"eventfd", false, false, true},
    {"timerfd", false, false, true},
    {"thread create", false, true, true},
    {"thread join", true, false, true},
    {"thread exit", false, true, true},
    {"thread detach", false, false, true},
    {"signal send", false, true, true},
    {"signal deliver", true, false, true},
    {"signal wait", true, false, true},
    {"signal action", false, false, true},
    {"signal mask", false, false, true},
    {"exec", false, false, true},
    {"rename", true, true, true},
    {"link", true, true, true},
    {"futex wait", true, false, true},
    {"futex wake", false, true, true},
    {"record query", false, false, false},
    {"mkdir", true, true, true},
    {"thread cancel", false, true, true},
    {"once", true, true, true},
    {"epoll create", false, false, true},
    {"timer set", true, true, true},
    {"truncate", true, true, true},
    {"memfd", false, false, true},
    {"fence", false, false, false},
    {"timer", false, true, true},
    {"enter block", false, false, false},
    {"leave block", false, false, false},
    {"fault", false, false, false},
}};

constexpr std::array<std::string_view, static_cast<std::size_t>(resource_kind::count_)> kinds{
    "resource",      "memory",         "mutex",         "condition",
    "semaphore",     "pipe",           "fifo",          "file",
    "shm",           "child process",  "logical",       "read-write lock",
    "barrier",       "spin lock",      "message queue", "segment",
    "semaphore set", "System V queue", "socket",        "event source",
    "thread",        "signal",         "futex",         "file lock",
    "record locks",  "name",           "System V key",  "once flag",
};

static_assert(!operations.back().name.empty(), "every operation has a row");
static_assert(!kinds.back().empty(), "every kind has a name");

}  // namespace

const operation_traits& traits(operation op) noexcept {
  const auto row = static_cast<std::size_t>(op);
  return row < operation_count ? operations[row] : operations[0];
}

std::string_view name(resource_kind kind) noexcept {
  const auto row = static_cast<std::size_t>(kind);
  return row < kinds.size() ? kinds[row] : kinds[0];
}

}  // namespace forkloom
