// Objects that anybody may open, and names that anybody may have taken first (shm_open(3), open(2)
// of O_EXCL). Within one user's own namespace that does no harm, so one asks for this checker.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

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
