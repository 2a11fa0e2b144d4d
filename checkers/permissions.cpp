// Permissions: what lets somebody interfere who has no business with the program.
//
//   for everybody    an object is made that any user may write to; or read, if it holds the
//                    program's data (shared memory, queues, semaphores).
//   a known name     an object is made under a fixed name where everybody may make some (/dev/shm,
//                    message queues, /tmp), without insisting that it is new: whoever was there
//                    first owns it.
//   looked, made     a task looked for a name, did not find it, and then makes it without
//                    insisting: somebody may have come between (time of check to time of use).
//                    Of names in directories that others change, more is told: check_then_use.cpp.
//
// Off unless --checkers names it: within one user's own namespace all of it is fine.
// One violation for each resource and way, the first.
//
// Limits: it judges what was asked for and the umask, not access lists or the directory's own
// rights.
#include <array>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "checkers/check_then_use.hpp"
#include "checkers/checker.hpp"
#include "checkers/words.hpp"
#include "framework/trace/making.hpp"

namespace forkloom::checkers {
namespace {

enum class way : std::uint8_t { for_everybody, known_name, looked_first };

bool opens(operation op) {
  return op == operation::open || op == operation::mq_open || op == operation::shm_open ||
         op == operation::sem_open;
}

bool is_file(operation op) { return op == operation::open || op == operation::mkfifo; }

bool has_key(operation op) {
  return op == operation::semget || op == operation::shmget || op == operation::msgget;
}

bool too_open(const event& e) {
  constexpr std::uint32_t others_write = 0002;
  constexpr std::uint32_t others_read = 0004;
  return (making_of(e).mode & (others_write | (is_file(e.op) ? 0 : others_read))) != 0;
}

std::string octal(std::uint32_t mode) {
  std::string digits;
  for (int shift = 6; shift >= 0; shift -= 3)
    digits += static_cast<char>('0' + (mode >> static_cast<unsigned>(shift) & 7U));
  return "0" + digits;
}

class reader {
 public:
  explicit reader(const trace& what) : what_(what) {}

  std::vector<violation> read() {
    for (std::size_t i = 0; i < what_.events.size(); ++i) take(i);
    return std::move(found_);
  }

 private:
  void take(std::size_t i) {
    const auto& e = what_.events[i];
    if (e.how != outcome::completed) return;
    const auto how = making_of(e);
    if (opens(e.op) && !how.may_make && e.error == ENOENT) looked_[{e.task, e.resource}] = i;
    if (!how.may_make || e.error != 0) return;
    const auto who = what_.task_name(e.task);
    const auto x = what_.resource_name(e.resource);
    if (too_open(e))
      tell(way::for_everybody, e, {i},
           text(who, " makes ", x, " with rights for everybody (", octal(how.mode), ")",
                at(what_, i)));
    if (how.must_make) return;
    if (const auto look = looked_.find({e.task, e.resource});
        look != looked_.end() && e.resource != no_resource)
      return tell(way::looked_first, e, {look->second, i},
                  text(who, " looks for ", x, at(what_, look->second), ", and then makes it",
                       at(what_, i), " without O_EXCL: somebody may have come between"));
    if (in_shared_place(e))
      tell(way::known_name, e, {i},
           text(who, " makes ", x, at(what_, i),
                " under a name that others may have taken first, "
                "and does not insist that it is new (O_EXCL)"));
  }

  [[nodiscard]] bool in_shared_place(const event& e) const {
    if (e.op == operation::mkfifo) return false;  // it always insists
    if (e.op != operation::open) return !has_key(e.op) || e.second != no_resource;
    const auto path = what_.resource_name(e.resource);
    for (const auto* place : {"/tmp/", "/var/tmp/", "/dev/shm/"})
      if (path.starts_with(place)) return true;
    return false;
  }

  void tell(way how, const event& e, std::vector<std::size_t> proof, std::string message) {
    if (!told_.insert({e.resource, how}).second) return;
    found_.push_back({.kind = violation_kind::permissions,
                      .message = std::move(message),
                      .tasks = {what_.task_name(e.task)},
                      .resource = what_.resource_name(e.resource),
                      .evidence = evidence(std::move(proof))});
  }

  const trace& what_;
  std::map<std::pair<task_id, resource_id>, std::size_t> looked_;  // in vain
  std::set<std::pair<resource_id, way>> told_;
  std::vector<violation> found_;
};

}  // namespace

std::vector<violation> check_permissions(const trace& what, const limits&) {
  auto found = judge_check_then_use(what);
  auto others = reader(what).read();
  found.insert(found.end(), std::make_move_iterator(others.begin()),
               std::make_move_iterator(others.end()));
  return found;
}

}  // namespace forkloom::checkers
