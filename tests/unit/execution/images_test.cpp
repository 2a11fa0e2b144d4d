// What addresses in programs that tasks executed become. Nobody runs; the test plays the tasks.
#include <memory>
#include <string_view>

#include "framework/execution/harvest.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/trace/module_address.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::execution;

struct stage {
  std::unique_ptr<arena, decltype(&unmap_arena)> memory{map_arena(), unmap_arena};
  arena& a = *memory;
  task_id main = birth(a, no_task, "main");

  stage() { strategy::begin(a.strategy, 1); }

  event& happens(task_id task, std::uint64_t site, operation op = operation::read) {
    auto* e = a.log.add_event(a.writer(task));
    REQUIRE(e != nullptr);
    return *e = {.site = site, .task = task, .op = op};
  }
  task_id forks(task_id task) {
    const auto child = birth(a, task, "child");
    happens(task, 0, operation::fork).after = index(child);
    return child;
  }
  void executes(task_id task, std::string_view path, std::uint64_t begin, std::uint64_t bias) {
    auto& m = a.programs.modules.at(a.programs.module_count++);
    m = {task, a.log.event_count(), begin, begin + 0x1000, bias, false, {}};
    path.copy(m.path.data(), path.size());
  }
  void loads(task_id task, std::string_view path, std::uint64_t begin) {
    executes(task, path, begin, begin);
    a.programs.modules.at(a.programs.module_count - 1).was_loaded = true;
  }
  [[nodiscard]] std::vector<std::uint64_t> sites() const {
    std::vector<std::uint64_t> all;
    for (const auto& e : to_trace(a).events)
      if (e.op == operation::read) all.push_back(e.site);
    return all;
  }
};

using addresses = std::vector<std::uint64_t>;

TEST_CASE("an address means the program that its task had executed by then") {
  stage st;
  const auto other = birth(st.a, no_task, "other");
  st.happens(st.main, 0x400123);
  st.executes(st.main, "/bin/first", 0x400000, 0);
  st.happens(st.main, 0x400123);
  st.happens(other, 0x400123);
  st.executes(st.main, "/bin/second", 0x400000, 0x3ff000);
  st.happens(st.main, 0x400123);
  CHECK(st.sites() == addresses{0x400123, pack({0, 0x400123}), 0x400123, pack({1, 0x1123})});
  CHECK(to_trace(st.a).modules == std::vector<std::string>{"/bin/first", "/bin/second"});
}

TEST_CASE("two processes of one program have the same addresses, wherever it was mapped") {
  stage st;
  const auto other = birth(st.a, no_task, "other");
  st.executes(st.main, "/bin/prog", 0x555000, 0x555000);
  st.executes(other, "/bin/prog", 0x777000, 0x777000);
  st.happens(st.main, 0x555010);
  st.happens(other, 0x777010);
  CHECK(st.sites() == addresses{pack({0, 0x10}), pack({0, 0x10})});
}

TEST_CASE("a child has the program that its parent had, and a thread its process's") {
  stage st;
  st.executes(st.main, "/bin/prog", 0x555000, 0x555000);
  const auto thread = thread_birth(st.a, st.main, "thread");
  const auto child = st.forks(thread);
  st.executes(st.main, "/bin/next", 0x555000, 0x554000);
  st.happens(child, 0x555010);
  st.happens(thread, 0x555010);
  CHECK(st.sites() == addresses{pack({0, 0x10}), pack({1, 0x1010})});
}

TEST_CASE("an address in no known file of the program is nobody else's") {
  stage st;
  st.executes(st.main, "/bin/prog", 0x555000, 0x555000);
  st.happens(st.main, 0x900000);
  CHECK(st.sites() == addresses{pack({unknown_module, 0x900000})});
}

TEST_CASE("what a program loads while it runs is part of it from then on") {
  stage st;
  st.executes(st.main, "/bin/prog", 0x555000, 0x555000);
  st.happens(st.main, 0x777010);
  st.loads(st.main, "/lib/one", 0x777000);
  st.happens(st.main, 0x777010);
  st.happens(st.main, 0x555010);
  const auto child = st.forks(st.main);
  st.loads(st.main, "/lib/two", 0x777000);  // one is gone
  st.happens(st.main, 0x777010);
  st.happens(child, 0x777010);
  st.executes(st.main, "/bin/next", 0x555000, 0x555000);
  st.happens(st.main, 0x777010);
  CHECK(st.sites() == addresses{pack({unknown_module, 0x777010}), pack({0, 0x10}), pack({1, 0x10}),
                                pack({2, 0x10}), pack({0, 0x10}),
                                pack({unknown_module, 0x777010})});
}

TEST_CASE("stacks and calls that passed are told likewise") {
  stage st;
  st.executes(st.main, "/bin/prog", 0x555000, 0x555000);
  st.happens(st.main, 0x555010).stack = 1;
  st.a.stacks[0] = {0x555020, 0x555030};
  st.a.stack_count = 1;
  auto& call = st.a.uncontrolled[st.a.uncontrolled_count++];
  call = {.name = {'p', 't'}, .task = st.main, .event = 1, .site = 0, .stack = {0x555040}};
  const auto t = to_trace(st.a);
  CHECK(t.stacks == std::vector<addresses>{{pack({0, 0x20}), pack({0, 0x30})}});
  REQUIRE(t.passed.size() == 1);
  CHECK(t.passed[0].name == "pt");
  CHECK(t.passed[0].stack == addresses{pack({0, 0x40})});
}

}  // namespace
