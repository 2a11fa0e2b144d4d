#include "framework/explore/sources.hpp"

#include <link.h>
#include <unistd.h>

#include "framework/trace/module_address.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using explore::find_sources;
using explore::users_line;

std::string path_of_this_program() {
  std::string path(4096, '\0');
  path.resize(static_cast<std::size_t>(::readlink("/proc/self/exe", path.data(), path.size())));
  return path;
}

// The first module is the program.
std::uint64_t bias_of_this_program() {
  std::uint64_t bias = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* data) {
        *static_cast<std::uint64_t*>(data) = module->dlpi_addr;
        return 1;
      },
      &bias);
  return bias;
}

[[gnu::noinline]] std::uint64_t return_address() {
  return reinterpret_cast<std::uint64_t>(__builtin_return_address(0));  // NOLINT: as a number
}

std::string libc() {
  std::string path;
  ::dl_iterate_phdr(
      [](dl_phdr_info* module, std::size_t, void* data) {
        const std::string name(module->dlpi_name);
        if (name.find("/libc.so") == std::string::npos) return 0;
        *static_cast<std::string*>(data) = name;
        return 1;
      },
      &path);
  return path;
}

constexpr int line_of_call = __LINE__ + 1;
std::uint64_t address_here() { return return_address(); }

// A trace of a process that executed this very program, which was mapped elsewhere.
struct executed {
  std::uint64_t address = address_here() - bias_of_this_program();
  trace t;

  executed() { t.modules = {libc(), path_of_this_program()}; }
  [[nodiscard]] std::uint64_t packed() const { return pack({1, address}); }
};

TEST_CASE("an address in a program that a task executed has that file's line") {
  executed run;
  run.t.stacks = {{pack({0, 0x30000}), run.packed()}};
  run.t.events = {{.site = pack({0, 0x30000}), .stack = 1, .task = task_id{0}}};
  find_sources(run.t);
  CHECK(run.t.events[0].site == run.packed());
  CHECK_THAT(run.t.source(run.t.events[0]),
             Catch::EndsWith("sources_test.cpp:" + std::to_string(line_of_call)));
  CHECK(users_line(run.t, run.t.stacks[0]) == run.t.source(run.t.events[0]));
}

TEST_CASE("an address of another program is not looked for in this one") {
  executed run;
  const auto own = run.address + bias_of_this_program();
  run.t.events = {{.site = pack({unknown_module, own}), .task = task_id{0}},
                  {.site = pack({0, 0x30000}), .task = task_id{0}}};
  run.t.events.push_back({.site = own, .task = task_id{0}});
  find_sources(run.t);
  CHECK(run.t.source(run.t.events[0]).empty());
  CHECK(run.t.source(run.t.events[1]).empty());  // of libc, where nobody looks for a bug
  CHECK_FALSE(run.t.source(run.t.events[2]).empty());
}

TEST_CASE("a file that cannot be read gives the place in it") {
  trace t;
  t.modules = {"/nonexistent/prog", "/usr/lib/nonexistent.so"};
  t.stacks = {{pack({1, 0x10}), pack({0, 0x1235}), pack({0, 0x2000})}};
  t.events = {{.stack = 1, .task = task_id{0}}};
  find_sources(t);
  CHECK(t.source(t.events[0]) == "prog+0x1234");
}

}  // namespace
