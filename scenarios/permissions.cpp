// Objects that anybody may open, names that anybody may have taken first (shm_open(3), open(2) of
// O_EXCL), and names that are looked at and then used as if nobody could come between. Within one
// user's own namespace much of that does no harm, so one asks for this checker.
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "forkloom/scenario.hpp"

using forkloom::violation_kind;

FORKLOOM_SCENARIO("a shared memory object that everybody may open",
                  "[shared_memory][permissions][broken]", .checkers = {"permissions"},
                  .expects = {violation_kind::permissions}) {
  scenario.process("maker", [] {
    ::close(::shm_open("/accounts", O_CREAT | O_RDWR, 0666));
    ::shm_unlink("/accounts");
  });
}

FORKLOOM_SCENARIO("a shared memory object that only its user may open",
                  "[shared_memory][permissions][correct]", .checkers = {"permissions"}) {
  scenario.process("maker", [] {
    ::close(::shm_open("/accounts", O_CREAT | O_EXCL | O_RDWR, 0600));
    ::shm_unlink("/accounts");
  });
}

namespace {

constexpr const char* key_path = "/dev/shm/key";
constexpr const char* draft_path = "/dev/shm/draft";

void write_key(int file) {
  static_cast<void>(::write(file, "secret", 6));
  ::close(file);
}

// What waits in the folder is put there whole, under its name at last.
void deliver(const char* text) {
  const int file = ::open(draft_path, O_CREAT | O_EXCL | O_WRONLY, 0600);
  static_cast<void>(::write(file, text, std::char_traits<char>::length(text)));
  ::close(file);
  ::rename(draft_path, key_path);
}

bool is_short(const struct stat& status) { return status.st_size <= 10; }

}  // namespace

FORKLOOM_SCENARIO("a key file that is looked for and then made", "[file][permissions][broken]",
                  .checkers = {"permissions"}, .expects = {violation_kind::permissions}) {
  scenario.processes("service", 2, [] {
    if (::access(key_path, F_OK) != 0) write_key(::open(key_path, O_CREAT | O_WRONLY, 0600));
  });
  scenario.finally([] { ::unlink(key_path); });
}

FORKLOOM_SCENARIO("a key file that only one can make", "[file][permissions][correct]",
                  .checkers = {"permissions"}) {
  scenario.processes("service", 2, [] {
    if (::access(key_path, F_OK) == 0) return;
    const int file = ::open(key_path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    if (file >= 0) write_key(file);
  });
  scenario.finally([] { ::unlink(key_path); });
}

FORKLOOM_SCENARIO("a file that is looked at and then opened", "[file][permissions][broken]",
                  .checkers = {"permissions"}, .expects = {violation_kind::permissions}) {
  deliver("short");
  scenario.process("sender", [] { deliver("longer than ten"); });
  scenario.process("reader", [] {
    struct stat status {};
    if (::stat(key_path, &status) == 0 && is_short(status)) ::close(::open(key_path, O_RDONLY));
  });
  scenario.finally([] { ::unlink(key_path); });
}

FORKLOOM_SCENARIO("a file that is opened and then looked at", "[file][permissions][correct]",
                  .checkers = {"permissions"}) {
  deliver("short");
  scenario.process("sender", [] { deliver("longer than ten"); });
  scenario.process("reader", [] {
    struct stat status {};
    const int file = ::open(key_path, O_RDONLY);
    if (::fstat(file, &status) == 0 && is_short(status)) ::lseek(file, 0, SEEK_SET);
    ::close(file);
  });
  scenario.finally([] { ::unlink(key_path); });
}
