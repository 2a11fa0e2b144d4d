#include "framework/execution/program.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/loaded_modules.hpp"
#include "framework/execution/open_descriptors.hpp"
#include "framework/execution/program_environment.hpp"
#include "framework/execution/program_file.hpp"
#include "framework/execution/scheduler.hpp"
#include "framework/execution/signals.hpp"
#include "framework/execution/sys.hpp"
#include "framework/execution/task_life.hpp"

namespace forkloom::execution {
namespace {

// What the new image will tell: which of the task's descriptors are gone. Those that nobody has had
// to do with are not the task's own.
void note_what_exec_closes(re_entry& programs) noexcept {
  programs.closed_count = 0;
  for_each_descriptor([&](int descriptor) {
    if ((sys::call(SYS_fcntl, descriptor, F_GETFD) & FD_CLOEXEC) == 0) return;
    const auto resource = known_resource_of(descriptor);
    if (resource == no_resource || programs.closed_count == programs.closed.size()) return;
    programs.closed[programs.closed_count++] = {descriptor, resource};
  });
  std::sort(programs.closed.begin(), programs.closed.begin() + programs.closed_count,
            [](const auto& a, const auto& b) { return a.descriptor < b.descriptor; });
}

void note_not_followed(std::string_view program, obstacle why) noexcept {
  std::array<char, 128> text{};
  constexpr std::string_view opening = "program ";
  auto* at = std::copy(opening.begin(), opening.end(), text.data());
  at = std::copy_n(program.begin(), std::min<std::size_t>(program.size(), 24), at);
  at = std::copy_n(" (", 2, at);
  const auto reason = describe(why);
  at = std::copy(reason.begin(), reason.end(), at);
  *at = ')';
  note_uncontrolled(text.data());
}

int execute(int directory, const char* path, char* const* arguments, char* const* environment,
            int flags) noexcept {
  return static_cast<int>(-sys::call(SYS_execveat, directory, sys::address(path),
                                     sys::address(arguments), sys::address(environment), flags));
}

void tell_of_exec(const arena& a) noexcept {
  const auto* site = reinterpret_cast<const void*>(a.programs.site);  // NOLINT: kept as a number
  controlled_call::silent(operation::exec, a.programs.program, site).completed(0);
}

// The program runs with nobody looking: it may do what it likes until it ends.
int execute_unseen(int directory, const char* path, char* const* arguments,
                   char* const* environment, int flags, obstacle why) noexcept {
  auto& a = *current_arena();
  const auto noted = a.uncontrolled_count;
  note_not_followed(base_name(path), why);
  tell_of_exec(a);
  const auto error = execute(directory, path, arguments, environment, flags);
  a.uncontrolled_count = noted;
  return error;
}

void go_on_as(arena& a, task_id task) noexcept {
  ++a.details[index(task)].image;
  const auto main = only_main_thread(a, task);
  resume_life(main);
  signals::begin_program(a, main);
  tell_of_exec(a);  // the call was made in the old image
  note_modules(a, task);
  for (std::uint32_t i = 0; i < a.programs.closed_count; ++i) {
    const auto& [descriptor, resource] = a.programs.closed[i];
    controlled_call::silent(operation::close, resource, nullptr)
        .completed(0, static_cast<std::uint64_t>(descriptor));
  }
  a.programs.closed_count = 0;
  ++a.close_count;
}

[[noreturn]] void give_up(int error) noexcept {
  constexpr std::string_view text =
      "forkloom: cannot follow into this program: its address space or /proc is not as usual, "
      "error ";
  std::array<char, text.size() + 16> line{};
  auto* at = std::copy(text.begin(), text.end(), line.data());
  at = std::to_chars(at, line.data() + line.size() - 1, error).ptr;
  *at++ = '\n';
  sys::call(SYS_write, STDERR_FILENO, sys::address(line.data()), at - line.data());
  sys::call(SYS_exit_group, 125);
  __builtin_unreachable();
}

// Runs in every program that has this library; it is a task's new image if the environment says so,
// and if it is that process. A process that something uncontrolled made has the environment of a
// task, and is none. The library is the first to be initialised (-z initfirst).
void re_enter(int /*count*/, char** /*arguments*/, char** environment) noexcept {
  if (environment == nullptr) return;
  const auto told = take_task_address(environment);
  if (!told) return;
  if (const auto error = attach_arena(told->memory_path, told->arena); error != 0) give_up(error);
  auto& a = *current_arena();
  if (index(told->task) < task_capacity &&
      a[told->task].pid.load(std::memory_order_relaxed) == sys::call(SYS_getpid))
    return go_on_as(a, told->task);
  set_current_arena(nullptr);
}

// Not by the attribute `constructor`: link-time optimisation calls all of those from one function,
// and without the arguments that the dynamic linker gives. libc has no environment yet.
[[gnu::section(".init_array"), gnu::used]] void (*const first)(int, char**, char**) = &re_enter;

}  // namespace

int execute_program(int directory, const char* path, char* const* arguments,
                    char* const* environment, int flags, resource_id program,
                    const void* site) noexcept {
  auto& a = *current_arena();
  a.programs.program = program;
  a.programs.site = reinterpret_cast<std::uint64_t>(site);  // NOLINT: kept as a number
  const auto found =
      sys::has_text(path) ? inspect_program(directory, path, flags).what : obstacle::no_such_file;
  if (found == obstacle::no_such_file || found == obstacle::not_a_program ||
      found == obstacle::no_such_interpreter)
    return execute(directory, path, arguments, environment, flags);  // it says what is wrong
  if (found != obstacle::none)
    return execute_unseen(directory, path, arguments, environment, flags, found);
  note_what_exec_closes(a.programs);
  const program_environment extended(a, a[self()].process, environment);
  return execute(directory, path, arguments, extended.get(), flags);
}

resource_id program_called(const char* path) noexcept {
  return sys::has_text(path) ? resource_named(base_name(path), resource_kind::process)
                             : no_resource;
}

bool let_programs_follow(arena& a) noexcept {
  Dl_info own{};
  if (::dladdr(reinterpret_cast<const void*>(&let_programs_follow), &own) == 0)  // NOLINT
    return false;
  auto& library = a.programs.library;
  static_assert(sizeof library >= PATH_MAX);
  if (::realpath(own.dli_fname, library.data()) == nullptr ||
      ::strpbrk(library.data(), " :\t\n") != nullptr) {
    library[0] = '\0';
    return false;
  }
  return true;
}

std::string_view base_name(const char* path) noexcept {
  const std::string_view whole(path);
  return whole.substr(whole.rfind('/') + 1);
}

}  // namespace forkloom::execution
