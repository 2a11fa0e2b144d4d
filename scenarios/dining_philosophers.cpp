// Three philosophers, three forks, each needs two (E. W. Dijkstra, "Hierarchical ordering of
// sequential processes", Acta Informatica 1, 1971).
#include <algorithm>
#include <array>
#include <mutex>

#include "forkloom/ipc/mutex.hpp"
#include "forkloom/scenario.hpp"

namespace {

constexpr unsigned philosophers = 3;

struct table {
  std::array<forkloom::ipc::mutex, philosophers> forks;
  forkloom::shared<int> meals{0};
};

void eat(table& at, unsigned first, unsigned second) {
  const std::scoped_lock one{at.forks[first]};
  const std::scoped_lock other{at.forks[second]};
  at.meals.fetch_add(1);
}

}  // namespace

FORKLOOM_SCENARIO("dining philosophers who all take the left fork first",
                  "[philosophers][mutex][deadlock][broken]",
                  .expects = {forkloom::violation_kind::deadlock,
                              forkloom::violation_kind::lock_order}) {
  auto& dinner = scenario.make<table>("table");
  scenario.processes("philosopher", philosophers, [&](forkloom::process& self) {
    eat(dinner, self.index(), (self.index() + 1) % philosophers);
  });
}

FORKLOOM_SCENARIO("dining philosophers who take the lower fork first",
                  "[philosophers][mutex][correct]") {
  auto& dinner = scenario.make<table>("table");
  scenario.processes("philosopher", philosophers, [&](forkloom::process& self) {
    const auto [lower, higher] = std::minmax({self.index(), (self.index() + 1) % philosophers});
    eat(dinner, lower, higher);
  });
  scenario.finally([&] { forkloom::expect(dinner.meals == 3); });
}
