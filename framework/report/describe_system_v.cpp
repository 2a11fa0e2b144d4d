#include "framework/report/describe_system_v.hpp"

#include <fmt/format.h>
#include <sys/sem.h>

#include "framework/trace/semaphore_operations.hpp"

namespace forkloom::report {
namespace {

// What a semop adds to which semaphores; "[1]=0" waits for zero.
std::string changes(const event& e) {
  const semaphore_operations all(e);
  std::string words;
  for (const auto& one : all) {
    if (!words.empty()) words += ' ';
    words += fmt::format("[{}]", one.number);
    words += one.change == 0 ? "=0" : fmt::format("{:+}", one.change);
    if (one.undone) words += " undo";
  }
  return all.more() ? words + " …" : words;
}

std::string of_semaphore(const char* command, const event& e) {
  return fmt::format("{} [{}]", command, e.after);
}

std::string semaphore_command(const event& e) {
  switch (e.before) {
    case GETALL:
      return "GETALL";
    case GETNCNT:
      return of_semaphore("GETNCNT", e);
    case GETPID:
      return of_semaphore("GETPID", e);
    case GETVAL:
      return of_semaphore("GETVAL", e);
    case GETZCNT:
      return of_semaphore("GETZCNT", e);
    case SETALL:
      return "SETALL";
    case SETVAL:
      return of_semaphore("SETVAL", e);
    default:
      return fmt::format("command {}", e.before);
  }
}

std::string command(const event& e) {
  switch (e.before) {
    case IPC_RMID:
      return "IPC_RMID";
    case IPC_SET:
      return "IPC_SET";
    case IPC_STAT:
      return "IPC_STAT";
    default:
      return e.op == operation::semctl ? semaphore_command(e) : fmt::format("command {}", e.before);
  }
}

std::int64_t type(std::uint64_t bits) noexcept { return static_cast<std::int64_t>(bits); }

}  // namespace

std::string describe_request(const event& e) {
  switch (e.op) {
    case operation::semop:
      return changes(e);
    case operation::semctl:
    case operation::shmctl:
    case operation::msgctl:
      return command(e);
    case operation::msgsnd:
      return fmt::format("type {}, {} {}", type(e.before), e.after,
                         e.after == 1 ? "byte" : "bytes");
    case operation::msgrcv:
      return fmt::format("type {}", type(e.before));
    default:
      return {};
  }
}

bool asks_for_number(const event& e) {
  return e.op == operation::semctl &&
         (e.before == GETVAL || e.before == GETNCNT || e.before == GETZCNT);
}

}  // namespace forkloom::report
