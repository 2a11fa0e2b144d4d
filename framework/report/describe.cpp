#include "framework/report/describe.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "framework/report/describe_system_v.hpp"
#include "framework/trace/fault.hpp"
#include "framework/trace/memory_access.hpp"
#include "framework/trace/record_range.hpp"

namespace forkloom::report {
namespace {

std::string error_name(std::int32_t error) {
  const char* symbol = strerrorname_np(error);
  return symbol != nullptr ? symbol : fmt::format("error {}", error);
}

std::string signal_name(int number) {
  const char* symbol = sigabbrev_np(number);
  return symbol != nullptr ? fmt::format("{} (SIG{})", number, symbol) : fmt::to_string(number);
}

// Memory is recorded as 64 bits, sign-extended by whoever knows the type.
std::int64_t value(std::uint64_t bits) noexcept { return static_cast<std::int64_t>(bits); }

// Calls whose return value says how much, which, or how many. Others return pointers and process
// ids, which differ from run to run, or nothing but success.
bool result_tells(const event& e) noexcept {
  switch (e.op) {
    case operation::accept:
    case operation::receive:
    case operation::send:
    case operation::socket:
    case operation::sem_getvalue:
    case operation::mq_open:
    case operation::open:
    case operation::read:
    case operation::write:
    case operation::dup:
    case operation::poll:
    case operation::select:
    case operation::epoll_create:
    case operation::epoll_wait:
    case operation::eventfd:
    case operation::memfd:
    case operation::shm_open:
    case operation::timerfd:
      return true;
    case operation::semctl:
      return asks_for_number(e);
    default:
      return false;
  }
}

// Calls that return an error number and count as done with it: EOWNERDEAD gives the lock.
bool returns_error_number(operation op) noexcept {
  switch (op) {
    case operation::mutex_lock:
    case operation::mutex_trylock:
    case operation::cond_wait:
      return true;
    default:
      return false;
  }
}

// "5 bytes, priority 3".
std::string message(std::uint64_t size, std::uint64_t priority) {
  return fmt::format("{} {}, priority {}", size, size == 1 ? "byte" : "bytes", priority);
}

// What a call on a file's locks asks for, or what a close took away.
std::string lock_words(const event& e) {
  if (has_record_range(e))
    return fmt::format(" {}{}{}", words(range_of(e)), range_of(e).shared ? " shared" : "",
                       range_of(e).of_open_file ? " of the open file" : "");
  if (e.op == operation::flock) return is_shared_flock(e) ? " shared" : " exclusive";
  if (drops_locks(e) && (e.after & closed_process_records) != 0)
    return ", which drops the record locks of the process";
  if (drops_locks(e)) return ", which drops a lock if it was the last descriptor";
  return {};
}

// Which way a connection ends, and what goes along with bytes.
std::string socket_words(const event& e) {
  constexpr std::array<std::string_view, 3> ways{" for reading", " for writing", " both ways"};
  if (e.op == operation::shutdown && e.before < ways.size()) return std::string(ways[e.before]);
  if (e.op == operation::send && e.after != 0)
    return fmt::format(" with {} {}", e.after, e.after == 1 ? "descriptor" : "descriptors");
  return {};
}

std::string completion(const event& e) {
  if (e.how == outcome::blocked) return " → blocked";
  if (e.how == outcome::timed_out) return " → timed out";
  if (e.error != 0) return " → " + error_name(e.error);
  if (returns_error_number(e.op) && e.result != 0)
    return " → " + error_name(static_cast<std::int32_t>(e.result));
  if (e.op == operation::msgrcv)
    return fmt::format(" → {} {} of type {}", e.result, e.result == 1 ? "byte" : "bytes",
                       value(e.after));
  if (e.op == operation::record_query) return e.result == 0 ? " → free" : " → held";
  if (result_tells(e)) return fmt::format(" → {}", e.result);
  return {};
}

// Of an eventfd, what was added or taken; of a timerfd, how often it expired.
bool moves_number(const trace& what, const event& e) {
  return (e.op == operation::read || e.op == operation::write) && e.after != 0 &&
         index(e.resource) < what.resources.size() &&
         what.resources[index(e.resource)].kind == resource_kind::event_source;
}

std::string held_by(const trace& what, resource_id resource) {
  if (index(resource) >= what.resources.size()) return {};
  const auto owner = what.resources[index(resource)].owner;
  return owner == no_task ? std::string{} : ", held by " + what.task_name(owner);
}

// " (acquire)" of an atomic access that tells its memory order.
std::string order_words(const event& e) {
  const auto access = access_of(e);
  return access.how == memory_access::sort::atomic ? fmt::format(" ({})", name(access.order))
                                                   : std::string{};
}

std::string wanted(const trace& what, const wait_record& wait) {
  if (wait.resources.empty()) return "something";
  std::vector<std::string> names;
  for (const auto resource : wait.resources) names.push_back(what.resource_name(resource));
  return fmt::format("{}", fmt::join(names, " or "));
}

std::string helpers(const trace& what, const wait_record& wait) {
  if (wait.releasers.empty()) return "; no living task could let it go on";
  std::vector<std::string> names;
  for (const auto task : wait.releasers) names.push_back(what.task_name(task));
  return fmt::format("; {} could let it go on", fmt::join(names, " or "));
}

// What a fault does to the call that it strikes.
std::string fault_words(const trace& what, const event& e) {
  const auto op = operation(e.after);
  const auto resource = what.resource_name(e.resource);
  const auto call = fmt::format("{}{}{}", name(op), resource.empty() ? "" : " ", resource);
  const auto kind = fault_of(e);
  switch (kind) {
    case fault_kind::kill:
      return fmt::format("fault: killed in {}", call);
    case fault_kind::stop:
      return fmt::format("fault: stopped before {}", call);
    case fault_kind::partial:
      return fmt::format("fault: only a part of {}", call);
    case fault_kind::full:
      return fmt::format("fault: no room for {}", call);
    case fault_kind::wakeup:
      return fmt::format("fault: spurious wake-up from {}", call);
    case fault_kind::timeout:
      return fmt::format("fault: time passes until {} times out", call);
    default:
      return fmt::format("fault: {} for {}", error_name(error_of(kind)), call);
  }
}

}  // namespace

std::string describe(const trace& what, const event& e) {
  if (e.op == operation::fault) return fault_words(what, e);
  const auto resource = what.resource_name(e.resource);
  const bool done = e.how == outcome::completed && e.error == 0;
  if (done && e.op == operation::load)
    return fmt::format("load {} → {}{}", resource, value(e.before), order_words(e));
  if (done && e.op == operation::store)
    return fmt::format("store {} = {}{}", resource, value(e.after), order_words(e));
  if (done && e.op == operation::modify)
    return fmt::format("modify {}: {} → {}{}", resource, value(e.before), value(e.after),
                       order_words(e));
  if (done && e.op == operation::fence) return fmt::format("fence{}", order_words(e));
  if (done && e.op == operation::mq_send)
    return fmt::format("mq send {}: {}", resource, message(e.before, e.after));
  if (done && e.op == operation::mq_receive)
    return fmt::format("mq receive {} → {}", resource,
                       message(static_cast<std::uint64_t>(e.result), e.after));

  if (done && moves_number(what, e))
    return fmt::format("{} {} {} {}", name(e.op), resource, e.op == operation::write ? "+" : "→",
                       e.after);
  if (e.op == operation::truncate && e.before == 0)
    return fmt::format("truncate {} to {} bytes{}", resource, value(e.after), completion(e));
  if (e.op == operation::truncate)  // the forms of fallocate
    return fmt::format("allocate {} up to byte {}{}", resource, value(e.after), completion(e));

  std::string words(name(e.op));
  if (!resource.empty()) words += " " + resource;
  const auto second = what.resource_name(e.second);
  if (!second.empty() && second != resource) words += fmt::format(" ({})", second);
  if (const auto asked = describe_request(e); !asked.empty()) words += " " + asked;
  return words + lock_words(e) + socket_words(e) + completion(e);
}

std::string describe(const task_end& end) {
  switch (end.kind) {
    case task_end::how::alive:
      return "still alive";
    case task_end::how::exited:
      return fmt::format("exited with {}", end.code);
    case task_end::how::signalled:
      return "killed by signal " + signal_name(end.code);
  }
  return {};
}

std::string describe(const trace& what, const wait_record& wait) {
  std::string place(name(wait.op));
  if (wait.event < what.events.size()) {
    const auto source = short_place(what.source(what.events[wait.event]));
    if (!source.empty()) place += " at " + source;
  }
  const auto held =
      wait.resources.size() == 1 ? held_by(what, wait.resources.front()) : std::string{};
  return fmt::format("{} waits for {} ({}){}{}", what.task_name(wait.task), wanted(what, wait),
                     place, held, held.empty() ? helpers(what, wait) : "") +
         (wait.timeout_ignored ? "; its time-out never fires, as was asked for" : "");
}

std::string describe_ending(const trace& what) {
  const auto detail = what.detail.empty() ? std::string{} : ": " + what.detail;
  switch (what.how) {
    case ending::finished:
    case ending::stopped:
      return {};
    case ending::stuck:
      return "Nothing could go on: no task was enabled and no deadline pending.";
    case ending::step_limit:
      return "The execution was stopped at its step limit" + detail + ".";
    case ending::spinning:
      return fmt::format("{} used processor time without coming back{}.",
                         what.task_name(what.culprit), detail);
    case ending::uncontrolled:
      return fmt::format("{} sat in a call that Forkloom does not control{}.",
                         what.task_name(what.culprit), detail);
    case ending::task_limit:
      return "There were more tasks than an execution can hold" + detail + ".";
    case ending::interrupted:
      return "The execution was interrupted.";
    case ending::failed:
      return "The execution could not be carried out" + detail + ".";
  }
  return {};
}

std::string short_place(const std::string& place) {
  const auto slash = place.rfind('/');
  return slash == std::string::npos ? place : place.substr(slash + 1);
}

std::string listed(const std::vector<std::string>& names) {
  if (names.empty()) return "nothing";
  std::string text = names.front();
  for (std::size_t i = 1; i < names.size(); ++i)
    text += (i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

}  // namespace forkloom::report
