#include "framework/explore/estimates.hpp"

#include <cmath>

#include "framework/strategy/random.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::explore;

bool near(double value, double expected, double by = 1e-4) {
  return std::abs(value - expected) <= by * std::max(1.0, std::abs(expected));
}

TEST_CASE("the interval of a share is that of Clopper and Pearson's tables") {
  const auto some = failure_interval(3, 10);
  CHECK(near(some.low, 0.0667395));
  CHECK(near(some.high, 0.6524529));
  const auto many = failure_interval(50, 1000);
  CHECK(near(many.low, 0.0373354));
  CHECK(near(many.high, 0.0653905));
}

TEST_CASE("without a failure the share is below about three in all executions") {
  const auto none = failure_interval(0, 1000);
  CHECK(none.low == 0);
  CHECK(near(none.high, 1 - std::pow(0.05, 1.0 / 1000)));
  CHECK(none.high < 0.003);
}

TEST_CASE("where every execution failed the share may be 1") {
  const auto all = failure_interval(10, 10);
  CHECK(near(all.low, std::pow(0.05, 0.1)));
  CHECK(all.high == 1);
}

TEST_CASE("nothing is known from no execution") {
  CHECK(failure_interval(0, 0).low == 0);
  CHECK(failure_interval(0, 0).high == 1);
  CHECK(first_failure_interval(0).high == 1);
}

TEST_CASE("a first failure in execution n says less than one failure in n") {
  const auto first = first_failure_interval(100);
  // P(first failure within 100) = 0.025 at the lower end; P(none in 99) = 0.025 at the upper one.
  CHECK(near(1 - std::pow(1 - first.low, 100), 0.025));
  CHECK(near(std::pow(1 - first.high, 99), 0.025));
  CHECK(first_failure_interval(1).low > 0);
  CHECK(first_failure_interval(1).high == 1);
}

TEST_CASE("the intervals hold the truth in about 95 of 100 campaigns") {
  // 2,000 campaigns of 60 executions that fail with probability 0.1. Clopper and Pearson promise at
  // least 95 %, so at most 100 misses, with a standard deviation of 10.
  strategy::generator random(1);
  int missed = 0;
  for (int campaign = 0; campaign < 2000; ++campaign) {
    std::uint64_t failed = 0;
    for (int i = 0; i < 60; ++i) failed += random.below(10) == 0 ? 1 : 0;
    const auto range = failure_interval(failed, 60);
    missed += range.low > 0.1 || range.high < 0.1 ? 1 : 0;
  }
  CHECK(missed < 150);
  CHECK(missed > 0);
}

TEST_CASE("a failure of 1 in 100 is met in 299 executions with 95 %") {
  CHECK(executions_to_see(0.01) == 299);
  CHECK(executions_to_see(1) == 1);
  CHECK(executions_to_see(0.96) == 1);
  CHECK(executions_to_see(0) == ~std::uint64_t{0});
}

TEST_CASE("if every class was seen more than once, there are no others to expect") {
  CHECK(classes_estimate(12, 0, 3) == 12);
  CHECK(new_class_probability(100, 0) == 0);
  CHECK(executions_for_classes(100, 12, 0, 3, 0.95) == 0);
}

TEST_CASE("classes that were seen once speak for others that were not seen") {
  // Chao1, bias-corrected: 20 + 10 * 9 / (2 * (4 + 1)).
  CHECK(near(classes_estimate(20, 10, 4), 29));
  CHECK(near(new_class_probability(50, 10), 0.2));
  // To see 95 % of 29: n f1 / (2 f2) ln(f0 / (0.05 S)) = 50 * 10 / 8 * ln(9 / 1.45).
  CHECK(executions_for_classes(50, 20, 10, 4, 0.95) == 115);
}

TEST_CASE("without a class seen twice the estimates are finite") {
  CHECK(near(classes_estimate(5, 5, 0), 15));
  CHECK(executions_for_classes(5, 5, 5, 0, 0.95) > 0);
}

TEST_CASE("the number of classes is estimated well where all are equally likely") {
  // 200 executions over 100 classes see about 86 of them.
  strategy::generator random(5);
  coverage_book book;
  for (int i = 0; i < 200; ++i) book.add({.class_hash = 1 + random.below(100)});
  CHECK(book.classes() < 95);
  const auto estimate =
      classes_estimate(book.classes(), book.classes_seen_once(), book.classes_seen_twice());
  CHECK(estimate > 88);
  CHECK(estimate < 125);
}

TEST_CASE("the number of schedules is the mean of what walks stand for") {
  schedule_count count;
  CHECK_FALSE(count.known());
  count.add(3);
  count.add(1);
  CHECK(count.known());
  CHECK(near(count.log2(), std::log2(5)));
}

TEST_CASE("numbers of schedules that no double could hold are counted all the same") {
  schedule_count count;
  count.add(5000);
  count.add(5000);
  CHECK(near(count.log2(), 5000));
}

TEST_CASE("random walks through two tasks of 3 steps count their 20 schedules") {
  strategy::generator random(3);
  schedule_count count;
  for (int walk = 0; walk < 4000; ++walk) {
    int left[2] = {3, 3};  // NOLINT: two numbers
    double log2 = 0;
    while (left[0] + left[1] > 0) {
      const bool both = left[0] > 0 && left[1] > 0;
      log2 += both ? 1 : 0;
      --left[both ? random.below(2) : left[0] > 0 ? 0 : 1];
    }
    count.add(log2);
  }
  // Products of 8 to 32; the mean of 4,000 has a standard deviation of about 0.15.
  CHECK(near(std::exp2(count.log2()), 20, 0.05));
}

TEST_CASE("a campaign that ended with its failure is judged otherwise than one that went on") {
  coverage_book book;
  for (int i = 0; i < 100; ++i) book.add({.class_hash = 1});
  const auto ended = estimates_from(book, {}, 1, false);
  CHECK(ended.failure_low == first_failure_interval(100).low);
  CHECK(ended.failure_high == first_failure_interval(100).high);
  const auto went_on = estimates_from(book, {}, 1, true);
  CHECK(went_on.failure_low == failure_interval(1, 100).low);
  CHECK(went_on.failure_high == failure_interval(1, 100).high);
  CHECK(ended.failure_high != went_on.failure_high);
  const auto none = estimates_from(book, {}, 0, false);
  CHECK(none.failure_high == failure_interval(0, 100).high);
}

TEST_CASE("a campaign's estimates are those of its classes, schedules and failures") {
  coverage_book book;
  // 20 classes, 10 seen once and 4 twice, as in the example above, and the rest often.
  for (std::uint64_t c = 0; c < 20; ++c)
    for (int i = 0; i < (c < 10 ? 1 : c < 14 ? 2 : 5); ++i) book.add({.class_hash = c});
  REQUIRE(book.executions() == 48);
  schedule_count schedules;
  schedules.add(7);
  const auto all = estimates_from(book, schedules, 12, true);
  CHECK(all.known);
  CHECK(near(all.schedules_log2, 7));
  CHECK(near(all.classes, 29));
  CHECK(near(all.new_class, 10.0 / 48));
  CHECK(all.more_for_classes == executions_for_classes(48, 20, 10, 4, 0.95));
  CHECK(all.failed == 12);
  CHECK(near(all.failure, 0.25));
  CHECK(all.executions_to_see == executions_to_see(0.25));
}

TEST_CASE("a campaign without an execution estimates nothing to be certain") {
  const auto all = estimates_from({}, {}, 0, true);
  CHECK(all.failure == 0);
  CHECK(all.failure_high == 1);
  CHECK(all.new_class == 1);
}

TEST_CASE("a campaign without a finding says nothing of how long one takes") {
  coverage_book book;
  for (int i = 0; i < 10; ++i) book.add({.class_hash = 1});
  const auto all = estimates_from(book, {}, 0, false);
  CHECK(all.schedules_log2 < 0);
  CHECK(all.executions_to_see == 0);
  CHECK(all.failure == 0);
  CHECK(all.classes == 1);
}

}  // namespace
