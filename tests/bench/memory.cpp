#include "tests/bench/memory.hpp"

#include <functional>
#include <string>

#include "framework/execution/controller.hpp"
#include "framework/execution/scenario_memory.hpp"
#include "framework/strategy/random_walk.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/memory_accesses.hpp"

namespace forkloom::bench {
namespace {

using nlohmann::json;

constexpr unsigned pairs = 7;
constexpr unsigned private_rounds = 5'000'000;
constexpr unsigned shared_rounds = 200'000;
constexpr unsigned accesses_per_round = 2;
constexpr execution::controller::limits no_limits{.progress_steps = 100'000'000};

using loop = std::uint32_t (*)(std::uint32_t*, unsigned);

double native_seconds(loop accesses) {
  std::vector<std::uint32_t> words(word_count);
  return seconds([&] { static_cast<void>(accesses(words.data(), private_rounds)); }) /
         private_rounds / accesses_per_round;
}

// In the only task of an execution.
double controlled_seconds(const std::function<void()>& body, unsigned rounds) {
  execution::controller controller(no_limits, -1);
  controller.begin(strategy::random_walk{}, 1, false);
  controller.spawn("task", body);
  return seconds([&] { controller.run(); }) / rounds / accesses_per_round;
}

double private_seconds(loop accesses) {
  std::vector<std::uint32_t> words(word_count);
  return controlled_seconds([&] { static_cast<void>(accesses(words.data(), private_rounds)); },
                            private_rounds);
}

double shared_seconds(loop accesses) {
  execution::scenario_memory memory;
  auto* words = static_cast<std::uint32_t*>(
      memory.allocate(word_count * sizeof(std::uint32_t), alignof(std::uint32_t)));
  return controlled_seconds([&] { static_cast<void>(accesses(words, shared_rounds)); },
                            shared_rounds);
}

json row(const char* access, double (*measure)(loop)) {
  const auto c = compare(
      pairs, [&] { return measure(instrumented_accesses); },
      [&] { return measure(plain_accesses); });
  return {{"bench", "memory"},
          {"tasks", 1},
          {"ratio", c.ratio},
          {"ns", c.subject * 1e9},
          {"baseline", std::string("the same not instrumented: ") + access},
          {"baseline_ns", c.baseline * 1e9},
          {"access", access}};
}

}  // namespace

std::vector<json> bench_memory() {
  return {row("private, outside of an execution", native_seconds),
          row("private, in a task", private_seconds), row("shared, in a task", shared_seconds)};
}

}  // namespace forkloom::bench
