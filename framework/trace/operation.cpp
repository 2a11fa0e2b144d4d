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
}};

constexpr std::array<std::string_view, static_cast<std::size_t>(resource_kind::count_)> kinds{
    "resource", "memory", "mutex", "condition",     "semaphore", "pipe",
    "fifo",     "file",   "shm",   "child process", "logical"};

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
