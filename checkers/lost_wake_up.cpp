#include "checkers/lost_wake_up.hpp"

#include <map>

#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

bool succeeded(const event& e) { return e.how == outcome::completed && e.error == 0; }

bool wakes(const event& e) {
  return succeeded(e) && (e.op == operation::cond_signal || e.op == operation::cond_broadcast ||
                          e.op == operation::futex_wake);
}

// Of a wake: did anybody wait for the resource just then? A futex says so itself.
bool somebody_waited(const trace& what, std::size_t wake) {
  const auto& w = what.events[wake];
  if (w.op == operation::futex_wake) return w.result != 0;
  std::map<task_id, bool> waits;
  for (std::size_t i = 0; i < wake; ++i) {
    const auto& e = what.events[i];
    waits[e.task] = e.how == outcome::blocked && e.resource == w.resource;
  }
  for (const auto& [task, waited] : waits)
    if (waited) return true;
  return false;
}

std::optional<lost_wake_up> unheard_wake(const trace& what, const wait_record& wait) {
  if (wait.resources.empty()) return std::nullopt;
  auto latest = no_event;
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const auto& e = what.events[i];
    if (!wakes(e) || e.resource != wait.resources.front()) continue;
    if (i > wait.event) return std::nullopt;
    latest = i;
  }
  if (latest == no_event || somebody_waited(what, latest)) return std::nullopt;
  return lost_wake_up{
      text("a lost wake-up: the last ", call(what, latest), " by ",
           what.task_name(what.events[latest].task), " came when nobody waited yet"),
      {latest}};
}

bool is_to(const trace& what, const event& e, task_id process) {
  return e.op == operation::signal_deliver && process_of(what, e.task) == process;
}

// The second of two sendings of a signal that was delivered less often than it was sent.
std::size_t merged_sending(const trace& what, resource_id signal) {
  std::size_t pending = 0;
  auto merged = no_event;
  for (std::size_t i = 0; i < what.events.size(); ++i) {
    const auto& e = what.events[i];
    if (e.resource != signal || !succeeded(e)) continue;
    if (e.op == operation::signal_send && pending++ > 0) merged = i;
    if (e.op == operation::signal_deliver) {
      if (pending > 1) return merged;
      pending = 0;
    }
  }
  return no_event;
}

std::optional<lost_wake_up> early_signal(const trace& what, const wait_record& wait) {
  const auto process = process_of(what, wait.task);
  auto latest = no_event;
  for (std::size_t i = 0; i < what.events.size(); ++i)
    if (is_to(what, what.events[i], process)) latest = i;
  if (latest == no_event || latest > wait.event) return std::nullopt;
  const auto signal = what.resource_name(what.events[latest].resource);
  const auto merged = merged_sending(what, what.events[latest].resource);
  if (merged != no_event)
    return lost_wake_up{text(signal, " was sent", at(what, merged),
                             " while it was pending already, and two became one"),
                        {merged, latest}};
  return lost_wake_up{text("a lost wake-up: ", signal, " was delivered before it was waited for"),
                      {latest}};
}

}  // namespace

std::optional<lost_wake_up> find_lost_wake_up(const trace& what, const wait_record& wait) {
  switch (wait.op) {
    case operation::cond_wait:
    case operation::futex_wait:
      return unheard_wake(what, wait);
    case operation::signal_wait:
      return early_signal(what, wait);
    default:
      return std::nullopt;
  }
}

}  // namespace forkloom::checkers
