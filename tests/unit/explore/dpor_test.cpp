#include "framework/explore/dpor.hpp"

#include <random>

#include "tests/catch.hpp"
#include "tests/unit/explore/toy.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

std::set<std::string> classes_of(const toy& program, const std::vector<trace>& executions) {
  std::set<std::string> found;
  for (const auto& e : executions) found.insert(class_text(program, e));
  return found;
}

// Explores it, and checks that no class is missing and each is counted once.
std::size_t count_classes(const toy& program) {
  explore::dpor dpor;
  const auto done = explore_all(program, dpor);
  const auto expected = all_classes(program);
  CHECK(dpor.finished());
  CHECK(classes_of(program, done.executions) == expected);
  CHECK(dpor.classes() == expected.size());
  return dpor.classes();
}

// How many executions were needed.
std::size_t count_executions(const toy& program) {
  explore::dpor dpor;
  return explore_all(program, dpor).executions.size();
}

TEST_CASE("steps that touch nothing of others have one order") {
  CHECK(count_classes({"wa", "wb", "wc", "wd"}) == 1);
  CHECK(count_executions({"wa", "wb", "wc", "wd"}) == 1);
}

TEST_CASE("writers of one place have as many orders as permutations") {
  CHECK(count_classes({"wx", "wx", "wx", "wx"}) == 24);
  CHECK(count_executions({"wx", "wx", "wx", "wx"}) == 24);
}

TEST_CASE("each reader comes before or after the one writer") {
  CHECK(count_classes({"rx", "rx", "rx", "wx"}) == 8);
  CHECK(count_executions({"rx", "rx", "rx", "wx"}) == 8);
}

TEST_CASE("the example of the paper is explored as the paper does") {
  // Figure 3 of POPL 2014: p: write x; q: read y, read x; r: read z, read x.
  CHECK(count_classes({"wx", "ryrx", "rzrx"}) == 4);
  CHECK(count_executions({"wx", "ryrx", "rzrx"}) == 4);
}

TEST_CASE("who gets a mutex first is told apart, and waiting for it is not") {
  CHECK(count_classes({"lmum", "lmum", "lmum"}) == 6);
  CHECK(count_executions({"lmum", "lmum", "lmum"}) == 6);
  CHECK(count_executions({"lmwxum", "lmwxum"}) == 2);
}

TEST_CASE("a deadlock is found, though its operations never happen") {
  explore::dpor dpor;
  const toy program{"lalbubua", "lblauaub"};
  const auto done = explore_all(program, dpor);
  CHECK(dpor.classes() == 3);  // one first, the other first, neither gets on
  CHECK(std::count_if(done.executions.begin(), done.executions.end(),
                      [](const trace& t) { return t.how == ending::stuck; }) >= 1);
  CHECK(done.conclusion.find("1 of them violates") != std::string::npos);
}

TEST_CASE("a lock that is never given back shows who was too late") {
  CHECK(count_classes({"lm", "lm"}) == 2);
}

TEST_CASE("posts and waits of a semaphore, and messages, are ordered by what enables them") {
  CHECK(count_classes({"va", "pawx", "rx"}) == 2);
  CHECK(count_classes({"sqsq", "gqgq"}) == 2);
  CHECK(count_classes({"sq", "sq", "gqgq"}) == 4);
  CHECK(count_classes({"sa", "gasb", "gbsc", "gc"}) == 1);
  CHECK(count_executions({"sa", "gasb", "gbsc", "gc"}) == 1);
}

TEST_CASE("what a task waits to do races whatever else has happened meanwhile") {
  // Where the queue is full, a send never happens. Instead others take steps of which all orders
  // have been explored, but not all with that send before them.
  CHECK(count_classes({"sqbm", "lMzmua", "sqsqla"}) == 5);
  CHECK(count_classes({"ua", "sqla", "sqsqua"}) == 5);
  CHECK(count_classes({"sqgqla", "gqbmbm", "lMzmuMla"}) == 4);
  CHECK(count_classes({"sqlm", "rmgqsq", "sqsqrm"}) == 28);
  // Or it happens at last, and only because of what others did behind the first of the race.
  CHECK(count_classes({"gqua", "uasq", "sqgqla"}) == 15);
}

TEST_CASE("every value of a draw is explored") {
  CHECK(count_classes({"dx"}) == 3);
  CHECK(count_classes({"dxdx", "rx"}) == 27);
  CHECK(count_classes({"dx", "dx"}) == 18);
  CHECK(count_executions({"dx", "dx"}) == 18);
}

TEST_CASE("an attempt to lock that fails is a look") {
  CHECK(count_classes({"lm", "tm", "tm"}) == all_classes({"lm", "tm", "tm"}).size());
}

TEST_CASE("a task that turns out to touch more than it announced is not left asleep") {
  // Two orders at X, two at y. Asleep before the write to X, task 0 would be woken by nothing that
  // it announces, and what it does later would be seen in one order only.
  CHECK(count_classes({"cxwy", "wX", "ry"}) == 4);
  CHECK(count_classes({"wacxwy", "wX", "ry"}) == 4);
}

TEST_CASE("a broadcast comes before or after who waits for it") {
  // Too early, and nobody wakes the other; or while it waits.
  CHECK(count_classes({"lMzmuM", "bm"}) == 2);
  CHECK(count_executions({"lMzmuM", "bm"}) == 2);
  // With the mutex: the one or the other takes it first.
  CHECK(count_classes({"lMzmuM", "lMbmuM"}) == 2);
  // Two who wait come in two orders, and leave in two.
  CHECK(count_classes({"lMzmuM", "lMzmuM", "bm"}) ==
        all_classes({"lMzmuM", "lMzmuM", "bm"}).size());
}

TEST_CASE("a deadline comes after every set of steps that is large enough") {
  // After a and b, after a and c, or after all three.
  CHECK(count_classes({"k2", "wawb", "wc"}) == 3);
  CHECK(count_classes({"k2", "wa", "wb", "wc"}) == 4);
  // Behind wz, so it comes after two of the three, or all; and these come before or after wz.
  CHECK(count_classes({"wzk2", "wa", "wb"}) == all_classes({"wzk2", "wa", "wb"}).size());
}

TEST_CASE("a deadline that comes when nobody else can go on needs no other orders") {
  CHECK(count_classes({"k9", "wawb", "wc"}) == 1);
  CHECK(count_executions({"k9", "wawb", "wc"}) == 1);
}

TEST_CASE("a search that is not followed says so, and ends") {
  explore::dpor dpor;
  const toy program{"wx", "wx"};
  const auto always = run_toy(program, *dpor.next(0));
  dpor.learn(always, false);
  std::size_t asked = 0;
  for (; asked < 10 && dpor.next(asked + 1); ++asked) dpor.learn(always, false);
  CHECK(asked == 1);
  CHECK(dpor.conclusion().find("1 execution departed") != std::string::npos);
}

TEST_CASE("it says when that was all, and before, that there are more") {
  explore::dpor all;
  CHECK(explore_all({"wx", "wx"}, all).conclusion ==
        "all 2 interleavings (happens-before classes) explored, none violates");
  explore::dpor some;
  CHECK(explore_all({"wx", "wx"}, some, 1).conclusion ==
        "1 interleaving (happens-before class) explored, it does not violate; there are more");
  explore::dpor values;
  CHECK_THAT(explore_all({"dx"}, values, 1).conclusion, Catch::Contains("there are more"));
  explore::dpor exactly;
  CHECK(explore_all({"wx", "wx"}, exactly, 2).conclusion.starts_with("all 2"));
}

toy random_program(std::mt19937_64& random, std::size_t tasks, std::size_t length,
                   const std::vector<std::string>& operations) {
  toy program(tasks);
  for (auto& word : program)
    for (auto n = random() % (length + 1); n > 0; --n)
      word += operations[random() % operations.size()];
  return program;
}

std::string show(const toy& program) {
  std::string text;
  for (const auto& word : program) text += "\"" + word + "\" ";
  return text;
}

TEST_CASE("of random programs with memory no class is missed, and none is executed twice") {
  std::mt19937_64 random(1);
  std::size_t repeated = 0;
  std::size_t all = 0;
  for (int i = 0; i < 400; ++i) {
    const auto program = random_program(random, 3, 4, {"rx", "wx", "ry", "wy", "rz", "wz"});
    INFO(show(program));
    const auto classes = count_classes(program);
    const auto executions = count_executions(program);
    repeated += executions - classes;
    all += executions;
  }
  // Source sets do not rule out that an execution begins in vain; the paper saw it rarely. Here it
  // is one in 380.
  CHECK(repeated * 200 < all);
}

TEST_CASE("of random programs with mutexes and queues few executions begin in vain") {
  const auto share = [](std::size_t length, const std::vector<std::string>& operations) {
    std::mt19937_64 random(8);
    std::size_t classes = 0;
    std::size_t executions = 0;
    for (int i = 0; i < 200; ++i) {
      const auto program = random_program(random, 3, length, operations);
      explore::dpor dpor;
      executions += explore_all(program, dpor).executions.size();
      classes += dpor.classes();
    }
    return static_cast<double>(executions - classes) / static_cast<double>(executions);
  };
  // Who waits for a mutex is mostly seen before it matters.
  CHECK(share(2, {"rx", "wx", "lmum", "lnun", "lmwxum", "lmlnunum", "lnlmumun"}) < 0.04);
  // Whether there is room in a queue only a send can tell.
  CHECK(share(3, {"sq", "sq", "gq", "wx", "rx"}) < 0.15);
}

TEST_CASE("of random programs with locks, semaphores, messages and draws no class is missed") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 600; ++i) {
    const auto program = random_program(
        random, 3, 4,
        {"rx", "wx", "lm", "um", "lm", "um", "va", "pa", "sq", "gq", "tm", "dx", "ry"});
    INFO(show(program));
    count_classes(program);
  }
}

TEST_CASE("of random programs with condition variables no class is missed") {
  std::mt19937_64 random(6);
  for (int i = 0; i < 150; ++i) {
    const auto program = random_program(
        random, 3, 2, {"rx", "wx", "lMzmuM", "lMbmuM", "bm", "lMuM", "lMwxuM", "lx", "ux"});
    INFO(show(program));
    count_classes(program);
  }
}

TEST_CASE("of random programs with queues that may be full no class is missed") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 300; ++i) {
    const auto program = random_program(random, 3, 4, {"sq", "sq", "sq", "gq", "gq", "wx", "rx"});
    INFO(show(program));
    count_classes(program);
  }
}

TEST_CASE("of random programs with full queues and mutexes never given back no class is missed") {
  std::mt19937_64 random(9);
  for (int i = 0; i < 1000; ++i) {
    const auto program = random_program(
        random, 3, 3, {"sq", "sq", "sq", "gq", "la", "la", "ra", "ua", "lMzmuM", "bm"});
    INFO(show(program));
    count_classes(program);
  }
}

TEST_CASE("of random programs with deadlines no class is missed") {
  std::mt19937_64 random(5);
  for (int i = 0; i < 200; ++i) {
    const auto program = random_program(random, 3, 3, {"rx", "wx", "wy", "cx", "rX", "k1", "k2"});
    INFO(show(program));
    count_classes(program);
  }
}

TEST_CASE("of random programs of more tasks no class is missed") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 150; ++i) {
    const auto program =
        random_program(random, 4, 3, {"rx", "wx", "lm", "um", "va", "pa", "ry", "wy", "y."});
    INFO(show(program));
    count_classes(program);
  }
}

}  // namespace
