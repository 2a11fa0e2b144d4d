#include "checkers/check_then_use.hpp"

#include <cerrno>

#include "framework/trace/making.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct folder {
  trace_builder b;
  task_id service = b.task("service");
  task_id stranger = b.task("stranger");
  resource_id key = b.resource("/tmp/key", resource_kind::directory_entry);
  resource_id other = b.resource("/tmp/other", resource_kind::directory_entry);
  resource_id file = b.resource("key", resource_kind::file);
  resource_id done = b.resource("done", resource_kind::semaphore);

  std::size_t looks(task_id task, bool finds, int error = ENOENT) {
    return b.does(task, operation::look, key,
                  {.result = finds ? 0 : -1, .error = finds ? 0 : error});
  }
  std::size_t makes(task_id task, bool insists = false) {
    return b.does(task, operation::open, key,
                  {.result = 3,
                   .after = number_of({.may_make = true, .must_make = insists, .mode = 0600}),
                   .second = file});
  }
  std::size_t opens(task_id task) {
    return b.does(task, operation::open, file, {.result = 3, .second = key});
  }
  std::size_t unlinks(task_id task) { return b.does(task, operation::unlink, key); }
  std::size_t renames(task_id task, resource_id from, resource_id to, std::uint64_t how = 0) {
    return b.does(task, operation::rename, from, {.before = how, .second = to});
  }
  void orders(task_id first, task_id second) {
    b.does(first, operation::sem_post, done);
    b.does(second, operation::sem_wait, done);
  }
  [[nodiscard]] std::vector<violation> found() const {
    return checkers::judge_check_then_use(b.done());
  }
};

TEST_CASE("a name that somebody takes between a look and the making is told") {
  folder f;
  const auto look = f.looks(f.service, false);
  const auto change = f.makes(f.stranger, true);
  const auto use = f.opens(f.service);
  const auto found = f.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::permissions);
  CHECK(found[0].resource == "/tmp/key");
  CHECK(found[0].tasks == strings{"service", "stranger"});
  CHECK(found[0].evidence == indices{look, change, use});
  CHECK(found[0].message ==
        "service looks at /tmp/key at code.cpp:0 and finds nothing, and goes by that in its open "
        "at code.cpp:2; stranger came between with its open at code.cpp:1");
}

TEST_CASE("who may come between is told, too, unless the program orders it") {
  folder f;
  const bool before = GENERATE(true, false);
  const bool ordered = GENERATE(true, false);
  if (before) {
    f.makes(f.stranger);
    f.unlinks(f.stranger);
    if (ordered) f.orders(f.stranger, f.service);
  }
  f.looks(f.service, false);
  f.makes(f.service);
  if (!before) {
    f.unlinks(f.service);
    if (ordered) f.orders(f.service, f.stranger);
    f.makes(f.stranger);
  }
  const auto found = f.found();
  REQUIRE(found.size() == (ordered ? 0 : 1));
  if (!ordered) CHECK(contains(found[0].message, "; stranger may come between with its open"));
}

TEST_CASE("who insists, or looks again by descriptor, does not go by the look") {
  folder f;
  f.looks(f.service, false);
  SECTION("O_EXCL") { f.makes(f.service, true); }
  SECTION("a directory") { f.b.does(f.service, operation::mkdir, f.key); }
  SECTION("a link") { f.b.does(f.service, operation::link, f.key, {.second = f.other}); }
  SECTION("a rename that replaces nothing") {
    f.renames(f.service, f.other, f.key, rename_must_make);
  }
  SECTION("an open that is told that nothing is there") {
    f.b.does(f.service, operation::open, f.key, {.result = -1, .error = ENOENT});
  }
  f.unlinks(f.stranger);
  f.makes(f.stranger);
  CHECK(f.found().empty());
}

TEST_CASE("what was there may be taken away, or be replaced, before it is used") {
  folder f;
  const auto use = GENERATE(operation::open, operation::unlink, operation::rename, operation::link);
  const bool replaced = GENERATE(true, false);
  f.looks(f.service, true);
  if (replaced)
    f.renames(f.stranger, f.other, f.key);
  else
    f.renames(f.stranger, f.key, f.other);
  if (use == operation::open) f.opens(f.service);
  if (use == operation::unlink) f.unlinks(f.service);
  if (use == operation::rename) f.renames(f.service, f.key, f.file);
  if (use == operation::link) f.b.does(f.service, operation::link, f.file, {.second = f.key});
  CHECK(f.found().size() == 1);
}

TEST_CASE("what has put there what was seen did not come between") {
  folder f;
  const bool twice = GENERATE(false, true);
  f.renames(f.stranger, f.other, f.key);
  f.looks(f.service, true);
  f.opens(f.service);
  if (twice) f.renames(f.stranger, f.other, f.key);
  CHECK(f.found().size() == (twice ? 1 : 0));
}

TEST_CASE("nothing is used where nothing was there, and only puts matter then") {
  folder f;
  f.looks(f.service, false);
  f.unlinks(f.stranger);
  f.makes(f.service);
  CHECK(f.found().empty());
}

TEST_CASE("a look that failed for other reasons, or was another task's, says nothing") {
  folder f;
  const bool denied = GENERATE(true, false);
  f.looks(denied ? f.service : f.stranger, false, denied ? EACCES : ENOENT);
  f.makes(f.stranger);
  f.opens(f.service);
  CHECK(f.found().empty());
}

TEST_CASE("a task that changes the name itself, or another name, does not come between") {
  folder f;
  f.looks(f.service, false);
  f.b.does(f.stranger, operation::mkdir, f.other);
  f.b.does(f.stranger, operation::open, f.key, {.result = -1, .error = EEXIST});
  f.makes(f.service);
  f.opens(f.service);
  CHECK(f.found().empty());
}

TEST_CASE("a name is told once, and what came to pass before what might have") {
  folder f;
  f.looks(f.service, false);
  f.makes(f.service);
  f.makes(f.stranger);
  f.looks(f.service, true);
  f.unlinks(f.stranger);
  f.unlinks(f.service);
  const auto found = f.found();
  REQUIRE(found.size() == 1);
  CHECK(contains(found[0].message, "stranger came between with its unlink"));
}

TEST_CASE("the checker permissions tells of names that were looked at") {
  folder f;
  f.looks(f.service, false);
  f.makes(f.stranger, true);
  f.opens(f.service);
  CHECK(checkers::check_permissions(f.b.done(), {}).size() == 1);
}

}  // namespace
