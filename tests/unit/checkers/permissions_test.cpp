#include <cerrno>

#include "framework/trace/making.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct maker {
  trace_builder b;
  task_id task = b.task("maker");
  resource_id shm = b.resource("/accounts", resource_kind::shared_memory);

  std::size_t makes(operation op, resource_id on, std::uint32_t mode, bool insists) {
    const auto how = number_of({.may_make = true, .must_make = insists, .mode = mode});
    const bool by_key = op == operation::shmget;
    return b.does(task, op, on,
                  {.result = 3, .before = by_key ? how : 0, .after = by_key ? 0 : how});
  }
  [[nodiscard]] std::vector<violation> found() const {
    return checkers::check_permissions(b.done(), {});
  }
};

TEST_CASE("what a call was asked to make comes back from its event") {
  for (const bool insists : {false, true}) {
    const making m{.may_make = true, .must_make = insists, .mode = 0640};
    CHECK(making_of({.after = number_of(m), .op = operation::shm_open}) == m);
    CHECK(making_of({.before = number_of(m), .op = operation::semget}) == m);
    CHECK(making_of({.after = number_of(m), .op = operation::semget}) == making{});
    CHECK(making_of({.after = number_of(m), .op = operation::close}) == making{});
  }
  CHECK(number_of(making{}) == 0);
}

TEST_CASE("shared memory that everybody may open is told with its mode") {
  maker m;
  const auto at = m.makes(operation::shm_open, m.shm, 0644, true);
  const auto found = m.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::permissions);
  CHECK(found[0].message == "maker makes /accounts with rights for everybody (0644) at code.cpp:0");
  CHECK(found[0].evidence == indices{at});
}

TEST_CASE("a file may be read by everybody, though not written to") {
  for (const std::uint32_t mode : {0644U, 0666U}) {
    maker m;
    const auto file = m.b.resource("report.txt", resource_kind::directory_entry);
    m.makes(operation::open, file, mode, true);
    CHECK(m.found().size() == (mode == 0666 ? 1 : 0));
  }
}

TEST_CASE("rights for the user and the group only are fine") {
  maker m;
  m.makes(operation::shm_open, m.shm, 0660, true);
  m.makes(operation::shmget, m.b.resource("segment", resource_kind::system_v_memory), 0600, true);
  CHECK(m.found().empty());
}

TEST_CASE("a name in a shared place must be insisted on") {
  const auto count = [](const char* path, operation op, bool insists) {
    maker m;
    m.makes(op, m.b.resource(path, resource_kind::directory_entry), 0600, insists);
    return m.found().size();
  };
  CHECK(count("/tmp/lock", operation::open, false) == 1);
  CHECK(count("/tmp/lock", operation::open, true) == 0);
  CHECK(count("lock", operation::open, false) == 0);
  CHECK(count("/accounts", operation::shm_open, false) == 1);
  CHECK(count("/orders", operation::mq_open, false) == 1);
}

TEST_CASE("who looks for a name and then makes it may find that somebody came between") {
  maker m;
  const auto looked = m.b.does(m.task, operation::shm_open, m.shm, {.result = -1, .error = ENOENT});
  const bool insists = GENERATE(false, true);
  const auto made = m.makes(operation::shm_open, m.shm, 0600, insists);
  const auto found = m.found();
  REQUIRE(found.size() == (insists ? 0 : 1));
  if (insists) return;
  CHECK(found[0].evidence == indices{looked, made});
  CHECK(contains(found[0].message, "maker looks for /accounts at code.cpp:0, and then makes it"));
}

TEST_CASE("a key that everybody knows must be insisted on, a private segment has none") {
  maker m;
  const auto key = m.b.resource("key 0x2a", resource_kind::system_v_key);
  const bool has_key = GENERATE(false, true);
  m.makes(operation::shmget, key, 0600, false);
  if (has_key) m.b.raw().events.back().second = m.shm;
  CHECK(m.found().size() == (has_key ? 1 : 0));
}

TEST_CASE("a resource is told once for each way") {
  maker m;
  for (int i = 0; i < 2; ++i) m.makes(operation::shm_open, m.shm, 0666, false);
  CHECK(m.found().size() == 2);
}

}  // namespace
