// Message: one that nobody ever received, or of which not all arrived together; and of those that
// the program numbers, one that was not handled once and in its order.
//
//   lost in a queue   a queue was taken away with messages in it: by IPC_RMID, or, of a POSIX queue
//                     that a task made and one received from, by an mq_unlink() and the end
//                     of all that had it open.
//   lost at a socket  a task made a datagram socket, and messages that were sent there were still
//                     in it when all had ended.
//   cut               a receiver's buffer was shorter than the message: the rest is gone.
//   torn by writers   a write to a pipe had to wait for room when part of it was there, and another
//                     task's bytes came before the rest. PIPE_BUF bytes go whole or not at all.
//   torn by readers   a read from a pipe got fewer bytes than it asked for and ended within what
//                     one write had put there; another task read on.
//
// Which message a receive took is known by the object's own order: the oldest, of a POSIX queue the
// oldest of its priority, of a System V queue that of its type.
//
// One violation for each resource and way, the first.
//
// Limits: objects that the scenario made, or that it may look into after the processes have ended,
// count only where a task took them away. Bytes left in a pipe or stream are not judged: a protocol
// may leave some. Contents are not in the trace: that a message came twice, or one after a later
// one by another way, is for expectations to tell. Bytes that move without a read or a write (tee)
// make a pipe's account wrong, and from then on it is not judged.
#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "checkers/checker.hpp"
#include "checkers/marked_messages.hpp"
#include "checkers/words.hpp"
#include "framework/trace/transfer.hpp"

namespace forkloom::checkers {
namespace {

constexpr std::uint64_t datagram_type = 2;  // SOCK_DGRAM, with its flags above the low four bits

bool done(const event& e) { return e.how == outcome::completed && e.error == 0; }

enum class way : std::uint8_t { lost, cut, torn_by_writers, torn_by_readers };

struct queue {
  std::vector<std::size_t> sent;  // and not received yet; events, the oldest first
  bool made_by_task = false;
  bool removed = false;
  bool has_receiver = false;  // somebody has at least asked for a message
};

struct mailbox {
  std::deque<std::size_t> sent;
  bool made_by_task = false;
  bool known = true;  // that every message in it was sent in view
};

// What is in a pipe: the writes whose bytes have not all been read, the oldest first.
struct piece {
  std::size_t write = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct pipe {
  std::vector<piece> pieces;
  std::uint64_t written = 0;
  std::uint64_t read = 0;
  std::size_t short_read = no_event;  // it ended within a piece
  bool known = true;

  // Parts of writes that wait for room: the event that blocked, by task.
  std::map<task_id, std::size_t> parts;
};

class reader {
 public:
  explicit reader(const trace& what) : what_(what) {}

  std::vector<violation> read() {
    for (std::size_t i = 0; i < what_.events.size(); ++i) take(i);
    if (what_.how == ending::finished) judge_rest();
    return std::move(found_);
  }

 private:
  void take(std::size_t i) {
    const auto& e = what_.events[i];
    if (is_pipe(e.resource)) return take_pipe(i);
    if (e.op == operation::exit)  // the rest of what it wrote will not come
      for (auto& [which, p] : pipes_) p.parts.erase(e.task);
    if (e.op == operation::mq_receive) queues_[e.resource].has_receiver = true;
    if (!done(e)) return;
    switch (e.op) {
      case operation::mq_open:
        queue_of_name_[e.resource] = e.second;
        if (e.before != 0) queues_[e.second] = {.sent = {}, .made_by_task = true};
        return;
      case operation::mq_unlink:
        if (const auto q = queue_of_name_.find(e.resource); q != queue_of_name_.end())
          queues_[q->second].removed = true;
        return;
      case operation::mq_send:
      case operation::msgsnd:
        return queues_[e.resource].sent.push_back(i);
      case operation::mq_receive:
      case operation::msgrcv:
        return received_from_queue(i);
      case operation::msgctl:
        if (e.before == 0) removed(e.resource, i);
        return;
      case operation::socket:
        sockets_[e.resource] = {.sent = {}, .made_by_task = (e.after & 15) == datagram_type};
        return;
      case operation::send:
        if (e.second != no_resource) sockets_[e.second].sent.push_back(i);
        return;
      case operation::receive:
        return received_at_socket(i);
      default:
        return;
    }
  }

  // What a message is chosen by: its priority or its type.
  [[nodiscard]] std::uint64_t sort_of(std::size_t i) const {
    const auto& e = what_.events[i];
    return e.op == operation::msgsnd ? e.before : e.after;
  }

  void received_from_queue(std::size_t i) {
    auto& sent = queues_[what_.events[i].resource].sent;
    const auto found = std::find_if(sent.begin(), sent.end(), [&](std::size_t s) {
      return sort_of(s) == what_.events[i].after;
    });
    if (found != sent.end()) sent.erase(found);
  }

  void removed(resource_id which, std::size_t by) {
    const auto sent = std::exchange(queues_[which].sent, {});
    if (!sent.empty()) tell_lost(which, sent, by);
  }

  void received_at_socket(std::size_t i) {
    const auto& e = what_.events[i];
    if ((e.after & received_a_message) == 0 || (e.after & received_a_look) != 0) return;
    auto& box = sockets_[e.resource];
    if (box.sent.empty()) box.known = false;
    if (!box.known) return;
    const auto sent = box.sent.front();
    box.sent.pop_front();
    const auto size = what_.events[sent].before;
    const auto room = e.before;
    if (room >= size || e.result < 0) return;
    tell(way::cut, e.resource, {sent, i},
         text("a message of ", size, " bytes that ", who(sent), " sent", at(what_, sent),
              " was cut: ", who(i), " took ", room, " of them", at(what_, i),
              ", and the rest is gone"));
  }

  void judge_rest() {
    for (const auto& [which, q] : queues_)
      if (q.made_by_task && q.removed && q.has_receiver && !q.sent.empty())
        tell_lost(which, q.sent, no_event);
    for (const auto& [which, box] : sockets_)
      if (box.made_by_task && box.known && !box.sent.empty())
        tell_lost(which, {box.sent.begin(), box.sent.end()}, no_event);
  }

  void tell_lost(resource_id which, const std::vector<std::size_t>& sent, std::size_t by) {
    const auto first = sent.front();
    auto proof = sent;
    proof.push_back(by);
    const auto last_words = by == no_event
                                ? text(", and nobody received ", sent.size() == 1 ? "it" : "them")
                                : text(" when ", who(by), " removed it", at(what_, by));
    tell(way::lost, which, std::move(proof),
         text(sent.size() == 1 ? "a message was lost" : text(sent.size(), " messages were lost"),
              ": ", who(first), " sent ", sent.size() == 1 ? "it" : "the first", " to ",
              what_.resource_name(which), at(what_, first),
              by == no_event ? "" : ", and it was still there", last_words));
  }

  [[nodiscard]] bool is_pipe(resource_id which) const {
    if (index(which) >= what_.resources.size()) return false;
    const auto kind = what_.resources[index(which)].kind;
    return kind == resource_kind::pipe || kind == resource_kind::fifo;
  }

  void take_pipe(std::size_t i) {
    const auto& e = what_.events[i];
    auto& p = pipes_[e.resource];
    if (const auto part = written_before_wait(e); part != 0) {
      note_written(p, i, part);
      p.parts[e.task] = i;
    } else if (done(e) && e.op == operation::write && e.result > 0) {
      note_written(p, i, static_cast<std::uint64_t>(e.result));
      p.parts.erase(e.task);
      so_far_.erase({e.task, e.resource});
    } else if (done(e) && e.op == operation::read && e.result > 0) {
      note_read(p, i, static_cast<std::uint64_t>(e.result));
    }
  }

  // total: of the task's call, up to now.
  void note_written(pipe& p, std::size_t i, std::uint64_t total) {
    const auto& e = what_.events[i];
    for (const auto& [task, part] : p.parts)
      if (task != e.task) torn_by(part, i);
    auto& before = so_far_[{e.task, e.resource}];
    if (total <= before) return;
    p.pieces.push_back({i, p.written, p.written + total - before});
    p.written += total - before;
    before = total;
  }

  void torn_by(std::size_t part, std::size_t other) {
    const auto& e = what_.events[part];
    tell(way::torn_by_writers, e.resource, {part, other},
         text("what ", who(part), " wrote to ", what_.resource_name(e.resource),
              " was torn: after ", e.before, " bytes it had to wait for room", at(what_, part),
              ", and the bytes of ", who(other), at(what_, other), " came before the rest"));
  }

  void note_read(pipe& p, std::size_t i, std::uint64_t count) {
    const auto& e = what_.events[i];
    if (p.short_read != no_event && what_.events[p.short_read].task != e.task) torn_between(p, i);
    p.read += count;
    p.known = p.known && p.read <= p.written;
    std::erase_if(p.pieces, [&](const piece& one) { return one.end <= p.read; });
    const bool within = p.known && !p.pieces.empty() && p.pieces.front().begin < p.read;
    // The rest of a write that waits for room is still to come.
    const bool goes_on = p.known && p.pieces.empty() && !p.parts.empty();
    p.short_read = count < e.before && (within || goes_on) ? i : no_event;
  }

  void torn_between(const pipe& p, std::size_t i) {
    const auto& first = what_.events[p.short_read];
    tell(way::torn_by_readers, first.resource, {p.short_read, i},
         text("what was written to ", what_.resource_name(first.resource),
              " was torn: ", who(p.short_read), " asked for ", first.before, " bytes and got ",
              first.result, at(what_, p.short_read), ", and ", who(i), " read on", at(what_, i)));
  }

  [[nodiscard]] std::string who(std::size_t event) const {
    return what_.task_name(what_.events[event].task);
  }

  void tell(way how, resource_id which, std::vector<std::size_t> proof, std::string message) {
    if (!told_.insert({which, how}).second) return;
    std::vector<task_id> tasks;
    for (const auto i : proof)
      if (i != no_event) tasks.push_back(what_.events[i].task);
    found_.push_back({.kind = violation_kind::message,
                      .message = std::move(message),
                      .tasks = names(what_, tasks),
                      .resource = what_.resource_name(which),
                      .evidence = evidence(std::move(proof))});
  }

  const trace& what_;
  std::map<resource_id, queue> queues_;
  std::map<resource_id, resource_id> queue_of_name_;
  std::map<resource_id, mailbox> sockets_;
  std::map<resource_id, pipe> pipes_;
  std::map<std::pair<task_id, resource_id>, std::uint64_t> so_far_;  // of a write that goes on
  std::set<std::pair<resource_id, way>> told_;
  std::vector<violation> found_;
};

}  // namespace

std::vector<violation> check_message(const trace& what, const limits&) {
  auto found = reader(what).read();
  auto marked = judge_marked_messages(what);
  found.insert(found.end(), std::make_move_iterator(marked.begin()),
               std::make_move_iterator(marked.end()));
  return found;
}

}  // namespace forkloom::checkers
