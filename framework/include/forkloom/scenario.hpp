// Scenarios: declared multi-process tests.
//
//   FORKLOOM_SCENARIO("two tellers deposit into one account", "[bank]") {
//     auto& account = scenario.shared<long>("account", 100);
//     auto& lock = scenario.make<forkloom::ipc::mutex>("account lock");
//     scenario.processes("teller", 2, [&](forkloom::process&) {
//       for (int i = 0; i < 3; ++i) {
//         std::scoped_lock guard{lock};
//         account = account + 10;
//       }
//     });
//     scenario.finally([&] { forkloom::expect(account == 160); });
//   }
//
// The body runs anew for every execution, in a process of its own. processes() forks at once, so a
// process inherits all that was made before it, locals of the body included; but nothing runs
// until the body reaches finally() or its end. Then Forkloom lets the processes run, one at a time,
// in the order that the schedule says. What processes shall share must be made by shared<T>() or
// make<T>(), or lie in memory that the body has mapped shared.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "forkloom/expect.hpp"
#include "forkloom/registry.hpp"
#include "forkloom/shared.hpp"

namespace forkloom {

// The process that a body runs in. Valid in that process only.
class process {
 public:
  process(std::string name, unsigned index) : name_(std::move(name)), index_(index) {}

  // Its name: as declared, followed by its index if several were declared together ("teller 1").
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // Which one of those declared together it is, from 0.
  [[nodiscard]] unsigned index() const noexcept { return index_; }

  // A logical resource, for the starvation checker: say that you want it, that you have it, that
  // you gave it back. Forkloom only listens; the waiting is done by your own code in between.
  void request(std::string_view resource);
  void granted(std::string_view resource);
  void give_back(std::string_view resource);

 private:
  std::string name_;
  unsigned index_;
};

namespace detail {
class scenario_engine;
}  // namespace detail

// Processes declared together. The calls say which ends are fine besides exit code 0.
class process_group {
 public:
  process_group(detail::scenario_engine& engine, unsigned first, unsigned count)
      : engine_(engine), first_(first), count_(count) {}

  // Exit code `code` is no violation. 0 … 255.
  process_group& may_exit(int code);

  // Death by that signal is no violation.
  process_group& may_die_of(int signal);

 private:
  detail::scenario_engine& engine_;
  unsigned first_;
  unsigned count_;
};

class scenario {
 public:
  explicit scenario(detail::scenario_engine& engine) : engine_(engine) {}
  scenario(const scenario&) = delete;
  scenario& operator=(const scenario&) = delete;

  // A variable in shared memory, with a name for reports. It lives as long as the execution.
  template <class T>
  forkloom::shared<T>& shared(std::string_view name, const T& initial = T{}) {
    return make<forkloom::shared<T>>(name, initial);
  }

  // Any object in shared memory: a forkloom::ipc handle, a Boost.Interprocess object, a struct of
  // your own. Its destructor runs at the end of the execution, in the scenario, not in the
  // processes.
  template <class T, class... Arguments>
  T& make(std::string_view name, Arguments&&... arguments) {
    void* place = allocate(sizeof(T), alignof(T), name);
    T* made = new (place) T(std::forward<Arguments>(arguments)...);
    destroy_later([made] { made->~T(); });
    return *made;
  }

  // Declares `count` processes, "name 0" to "name count-1", which all run `body(process&)` or
  // `body()`. Without a count, as many as the option `processes` says.
  template <class Body>
  process_group processes(std::string_view name, unsigned count, Body&& body) {
    return add(name, count, true, callable(std::forward<Body>(body)));
  }
  template <class Body>
  process_group processes(std::string_view name, Body&& body) {
    return processes(name, default_process_count(), std::forward<Body>(body));
  }

  // Declares one process called `name`.
  template <class Body>
  process_group process(std::string_view name, Body&& body) {
    return add(name, 1, false, callable(std::forward<Body>(body)));
  }

  // Runs the processes to their end, then `check`, unless the execution was cut short (a deadlock,
  // a failed expectation). Processes cannot be declared after it.
  void finally(const std::function<void()>& check);

  // For Forkloom's own helpers.
  [[nodiscard]] detail::scenario_engine& engine() noexcept { return engine_; }

 private:
  template <class Body>
  static std::function<void(forkloom::process&)> callable(Body&& body) {
    if constexpr (std::is_invocable_v<Body&, forkloom::process&>)
      return std::forward<Body>(body);
    else
      return [body = std::forward<Body>(body)](forkloom::process&) mutable { body(); };
  }

  process_group add(std::string_view name, unsigned count, bool numbered,
                    const std::function<void(forkloom::process&)>& body);
  void* allocate(std::size_t size, std::size_t alignment, std::string_view name);
  void destroy_later(std::function<void()> destructor);
  [[nodiscard]] unsigned default_process_count() const;

  detail::scenario_engine& engine_;
};

}  // namespace forkloom

#define FORKLOOM_JOIN_(a, b) a##b
#define FORKLOOM_JOIN(a, b) FORKLOOM_JOIN_(a, b)

// FORKLOOM_SCENARIO("name", "[tag][tag]", options…) { body }: declares a scenario and registers it.
// In the body, `scenario` is the forkloom::scenario. The options are designated initialisers of
// forkloom::options, in their order there.
// clang-format takes the pragmas for the beginning of a declaration.
// clang-format off
#define FORKLOOM_SCENARIO(name, tags, ...)                                                  \
  static void FORKLOOM_JOIN(forkloom_scenario_, __LINE__)(::forkloom::scenario& scenario);  \
  /* An option that is not named has its default; -Wextra takes that for an oversight. */   \
  _Pragma("GCC diagnostic push")                                                            \
  _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")                        \
  static const ::forkloom::registration FORKLOOM_JOIN(forkloom_registration_, __LINE__){    \
      name,                                                                                 \
      tags,                                                                                 \
      __FILE__,                                                                             \
      __LINE__,                                                                             \
      &FORKLOOM_JOIN(forkloom_scenario_, __LINE__),                                         \
      ::forkloom::options{__VA_ARGS__}};                                                    \
  _Pragma("GCC diagnostic pop")                                                             \
  static void FORKLOOM_JOIN(forkloom_scenario_,                                             \
                            __LINE__)([[maybe_unused]] ::forkloom::scenario& scenario)
// clang-format on
