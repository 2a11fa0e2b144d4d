#include "tests/bench/linearizability.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "checkers/linearizability/known_objects.hpp"
#include "tests/bench/measure.hpp"
#include "tests/unit/checkers/histories.hpp"

namespace forkloom::bench {
namespace {

using checkers::known_object;
using nlohmann::json;

constexpr unsigned processes = 4;

// Any one of [0, bound).
unsigned any(std::mt19937& random, unsigned bound) {
  return static_cast<unsigned>(random() % bound);
}

history of_collection(known_object object, std::mt19937& random, unsigned calls, bool wrong) {
  std::vector<testing::random_step> steps;
  for (unsigned i = 0; i < 3 * calls; ++i)
    steps.push_back(
        {any(random, processes), any(random, 6), any(random, 100), wrong && any(random, 16) == 0});
  return testing::play(object, steps, false);
}

// A store whose keys are registers. Each call is invoked, takes effect, and returns, one step each.
history of_store(std::mt19937& random, std::size_t calls, unsigned keys) {
  struct lane {
    std::size_t call = 0;
    unsigned stage = 0;
  };
  testing::history_builder b;
  std::vector<std::int64_t> store(keys, 0);
  std::array<lane, processes> lanes;
  std::array<std::int64_t, processes> results{};
  while (b.done().calls.size() < calls ||
         std::any_of(lanes.begin(), lanes.end(), [](auto& l) { return l.stage != 0; })) {
    const auto p = any(random, processes);
    auto& [call, stage] = lanes.at(p);
    if (stage == 0) {
      if (b.done().calls.size() == calls) continue;
      const bool writes = any(random, 2) == 0;
      call = b.begin(p, writes ? checkers::calls::write : checkers::calls::read, any(random, 5),
                     any(random, keys));
    } else if (stage == 1) {
      const auto& c = b.done().calls[call];
      if (c.operation == checkers::calls::write) store[c.key] = c.argument;
      results.at(p) = c.operation == checkers::calls::write ? 0 : store[c.key];
    } else {
      b.end(call, results.at(p));
    }
    stage = (stage + 1) % 3;
  }
  return b.done();
}

// The best of three, since others use the processor, too.
double judge_seconds(known_object object, const history& what) {
  const auto once = [&] {
    return seconds([&] { static_cast<void>(checkers::judge(what, *checkers::model_of(object))); });
  };
  return std::min({once(), once(), once()});
}

json row(const char* bench, double worst, double goal, const char* words) {
  return {{"bench", bench},    {"tasks", processes}, {"ratio", worst / goal},
          {"ns", worst * 1e9}, {"baseline", words},  {"baseline_ns", goal * 1e9}};
}

}  // namespace

std::vector<json> bench_linearizability() {
  std::mt19937 random(1);
  double small = 0;
  for (unsigned i = 0; i < 300; ++i)
    for (const auto object : {known_object::queue, known_object::stack})
      small = std::max(small, judge_seconds(object, of_collection(object, random, 32, i % 2 == 0)));
  double store = 0;
  for (unsigned i = 0; i < 20; ++i)
    store = std::max(store, judge_seconds(known_object::cell, of_store(random, 1000, 10)));
  return {row("history", small, 0.010, "goal for 32 calls, the slowest of 600"),
          row("store", store, 1.0, "goal for 1,000 calls, 10 keys, the slowest of 20")};
}

}  // namespace forkloom::bench
