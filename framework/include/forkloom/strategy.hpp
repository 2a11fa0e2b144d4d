// Strategies of your own: who runs next.
//
//   // Always the task with the highest number that can go on.
//   struct last_come {
//     void begin(std::uint64_t) noexcept {}
//     unsigned pick(const forkloom::strategy_choice& c) noexcept { return c.enabled(c.size() - 1);
//     }
//   };
//   FORKLOOM_STRATEGY(last_come, "the youngest task that can go on")
//
// at namespace scope, in any file of the scenario binary; then `--strategy last_come`, and its name
// stands in tokens, in `forkloom strategies` and in .strategy = "last_come".
//
// The struct has
//
//   void begin(std::uint64_t seed)       an execution begins. All that is random must follow from
//   the
//                                        seed, or an execution cannot be repeated
//   unsigned pick(const strategy_choice&) the task that goes next: one of the enabled ones
//   std::uint64_t draw(std::uint64_t bound)   optional: a number in [0, bound), for other choices,
//   as
//                                        which waiter of a condition variable a signal wakes. 0 is
//                                        the one that disturbs least, and is what is drawn without
//                                        it
//
// and, if its name may carry a number (`--strategy last_come:3`), a constructor from std::uint32_t
// besides the default one.
//
// It lives in memory that the processes of the execution share: it must be trivially copyable, of
// at most 1,024 bytes, and may hold no pointers but to constants. Whichever task gives the token up
// calls it, in the middle of whatever that task was doing: no allocation, no locks, no calls of
// libc that change anything, no exceptions.
//
// A task that executes another program has none of your code. There a uniform random choice takes
// the strategy's place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <type_traits>

namespace forkloom {

// What there is to choose from, at one step. Tasks are numbered from 0 in the order of their birth,
// the same in every execution of one schedule.
class strategy_choice {
 public:
  static constexpr unsigned none = 0xffff;

  explicit strategy_choice(const void* inner) noexcept : inner_(inner) {}

  // How many tasks can go on; at least 1.
  [[nodiscard]] std::size_t size() const noexcept;

  // The k-th of them in ascending order. Requires k < size().
  [[nodiscard]] unsigned enabled(std::size_t k) const noexcept;

  [[nodiscard]] bool is_enabled(unsigned task) const noexcept;

  // Who ran last; `none` at the very start and after a death. It need not be enabled.
  [[nodiscard]] unsigned current() const noexcept;

  // The current task says that it cannot go on usefully (sched_yield).
  [[nodiscard]] bool yields() const noexcept;

  // Do the next operations of two tasks touch the same thing, and one of them changes it?
  [[nodiscard]] bool conflict(unsigned one, unsigned other) const noexcept;

 private:
  const void* inner_;
};

namespace detail {

// A strategy without its type.
struct strategy_functions {
  std::string_view name;
  std::string_view what_it_is;
  bool takes_number = false;
  void (*make)(void* at, std::uint32_t number, bool has_number) = nullptr;
  void (*begin)(void* self, std::uint64_t seed) = nullptr;
  unsigned (*pick)(void* self, const strategy_choice& among) = nullptr;
  std::uint64_t (*draw)(void* self, std::uint64_t bound) = nullptr;
};

inline constexpr std::size_t strategy_size_max = 1024;

// A name that is taken, or no name (lower-case letters, digits and '_', at most 32, a letter
// first), ends the program with exit code 2 before main().
bool register_strategy(const strategy_functions& functions) noexcept;

template <class Strategy>
strategy_functions functions_of(std::string_view name, std::string_view what_it_is) noexcept {
  static_assert(
      std::is_trivially_copyable_v<Strategy> && std::is_trivially_destructible_v<Strategy>,
      "a strategy lives in shared memory: plain bytes only");
  static_assert(sizeof(Strategy) <= strategy_size_max, "a strategy has at most 1,024 bytes");
  static_assert(alignof(Strategy) <= alignof(std::max_align_t));
  constexpr bool takes_number = std::is_constructible_v<Strategy, std::uint32_t>;
  return {
      .name = name,
      .what_it_is = what_it_is,
      .takes_number = takes_number,
      .make =
          [](void* at, std::uint32_t number, bool has_number) {
            if constexpr (takes_number) {
              if (has_number) {
                ::new (at) Strategy(number);
                return;
              }
            }
            static_cast<void>(number);
            static_cast<void>(has_number);
            ::new (at) Strategy();
          },
      .begin = [](void* self, std::uint64_t seed) { static_cast<Strategy*>(self)->begin(seed); },
      .pick = [](void* self, const strategy_choice& among) -> unsigned {
        return static_cast<Strategy*>(self)->pick(among);
      },
      .draw = [](void* self, std::uint64_t bound) -> std::uint64_t {
        if constexpr (requires { static_cast<Strategy*>(self)->draw(bound); })
          return static_cast<Strategy*>(self)->draw(bound);
        else
          return static_cast<void>(self), static_cast<void>(bound), 0;
      }};
}

}  // namespace detail

// Makes Strategy known under that name. Called before main(), as the macro does, or at its
// beginning.
template <class Strategy>
bool register_strategy(std::string_view name, std::string_view what_it_is) noexcept {
  return detail::register_strategy(detail::functions_of<Strategy>(name, what_it_is));
}

}  // namespace forkloom

// At namespace scope: the type, which is also the name, and a line that says what it is.
#define FORKLOOM_STRATEGY(type, what_it_is)                     \
  [[maybe_unused]] static const bool forkloom_strategy_##type = \
      ::forkloom::register_strategy<type>(#type, what_it_is);
