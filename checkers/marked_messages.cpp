// Messages that the program numbers, so their contents need not be known:
//
//   duplicated   one number was handled twice, by whomever.
//   reordered    a message was handled after another one of the same sender that had been sent
//                later. Of one that was sent several times, each sending may be what was handled.
//   lost         a number was sent, and all ended without anybody having handled it.
//
// A sender may tell that it sent a message when that has been handled already: only the order of
// what it sent counts, and that is known when all is read.
//
// Limits: whether and where the program tells is its own affair. Nothing is lost where a process
// was killed by a fault: what it had received may be gone with it.
#include "checkers/marked_messages.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "checkers/words.hpp"

namespace forkloom::checkers {
namespace {

enum class way : std::uint8_t { duplicated, reordered, lost };

struct message {
  std::vector<std::size_t> sent;  // events
  std::vector<std::size_t> handled;
};

using number = std::uint64_t;
using message_key = std::pair<resource_id, number>;

bool any_order(const event& e) { return e.before != 0; }

class reader {
 public:
  explicit reader(const trace& what) : what_(what) {
    for (std::size_t i = 0; i < what.events.size(); ++i)
      if (is(i, operation::message_sent)) of(i).sent.push_back(i);
  }

  std::vector<violation> read() {
    for (std::size_t i = 0; i < what_.events.size(); ++i)
      if (is(i, operation::message_handled)) handled(i);
    if (what_.how == ending::finished && !killed_by_fault(what_))
      for (const auto& [key, m] : messages_)
        if (m.handled.empty()) tell_lost(m);
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool is(std::size_t i, operation op) const {
    const auto& e = what_.events[i];
    return e.op == op && e.how == outcome::completed;
  }

  message& of(std::size_t i) {
    const auto& e = what_.events[i];
    return messages_[{e.resource, e.after}];
  }

  void handled(std::size_t i) {
    auto& m = of(i);
    m.handled.push_back(i);
    if (m.handled.size() > 1) return tell_duplicated(m);
    if (m.sent.empty() || any_order(what_.events[i])) return;
    const auto sender = what_.events[m.sent.front()].task;
    auto& latest = latest_[{what_.events[i].resource, sender}];
    if (latest != nullptr && m.sent.back() < latest->sent.front()) tell_reordered(m, *latest);
    if (latest == nullptr || latest->sent.front() < m.sent.front()) latest = &m;
  }

  void tell_duplicated(const message& m) {
    const auto first = m.handled[0];
    const auto again = m.handled[1];
    auto proof = m.sent;
    proof.insert(proof.end(), {first, again});
    const auto resent = m.sent.size() > 1
                            ? text("; ", who(m.sent[1]), " had sent it again", at(what_, m.sent[1]))
                            : std::string{};
    tell(way::duplicated, again, std::move(proof),
         text(called(again), " was handled twice: by ", who(first), at(what_, first), ", and by ",
              who(again), at(what_, again), resent));
  }

  void tell_reordered(const message& m, const message& later) {
    const auto i = m.handled.front();
    const auto before = later.handled.front();
    tell(way::reordered, i, {m.sent.back(), later.sent.front(), before, i},
         text(called(i), " was overtaken: ", who(m.sent.back()), " sent it",
              at(what_, m.sent.back()), " before ", what_.events[before].after,
              at(what_, later.sent.front()), ", but ", who(before), " handled ",
              what_.events[before].after, at(what_, before), " before ", who(i), " handled it",
              at(what_, i)));
  }

  void tell_lost(const message& m) {
    const auto i = m.sent.front();
    tell(way::lost, i, m.sent,
         text(called(i), " was lost: ", who(i), " sent it", at(what_, i),
              ", and nobody handled it"));
  }

  // "message 7 of orders".
  [[nodiscard]] std::string called(std::size_t i) const {
    const auto& e = what_.events[i];
    return text("message ", e.after, " of ", what_.resource_name(e.resource));
  }
  [[nodiscard]] std::string who(std::size_t i) const {
    return what_.task_name(what_.events[i].task);
  }

  void tell(way how, std::size_t at, std::vector<std::size_t> proof, std::string words) {
    const auto channel = what_.events[at].resource;
    if (!told_.insert({channel, how}).second) return;
    std::vector<task_id> tasks;
    for (const auto i : proof) tasks.push_back(what_.events[i].task);
    found_.push_back({.kind = violation_kind::message,
                      .message = std::move(words),
                      .tasks = names(what_, tasks),
                      .resource = what_.resource_name(channel),
                      .evidence = evidence(std::move(proof))});
  }

  const trace& what_;
  std::map<message_key, message> messages_;
  // By channel and sender: of those handled so far, the one that was sent last.
  std::map<std::pair<resource_id, task_id>, const message*> latest_;
  std::set<std::pair<resource_id, way>> told_;
  std::vector<violation> found_;
};

}  // namespace

std::vector<violation> judge_marked_messages(const trace& what) { return reader(what).read(); }

}  // namespace forkloom::checkers
