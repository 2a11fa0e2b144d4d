#include "framework/report/text.hpp"

#include "tests/catch.hpp"
#include "tests/unit/report/sample_results.hpp"

using namespace forkloom;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;

namespace {

constexpr report::style plain{.columns = 80};
constexpr report::style verbose{.columns = 80, .verbose = true};
constexpr report::style coloured{.columns = 80, .colour = true};

}  // namespace

TEST_CASE("a lost update is told like this", "[report]") {
  CHECK(report::explain(tests::lost_update(), plain) ==
        R"(lost_update: an update of account was lost
    teller 1 read 100

Interleaving of execution 6 (4 steps)
step │ teller 0                     │ teller 1                     │ at
-----┼------------------------------┼------------------------------┼-----------
   1 │ ► load account → 100         │                              │ bank.cpp:1
   2 │   (preempted)                │ ► load account → 100         │ bank.cpp:2
   3 │ ► store account = 110        │   (preempted)                │ bank.cpp:3
   4 │                              │ ► store account = 110        │ bank.cpp:4

3 of 3 replays failed the same way.
Reproduce it with: forkloom replay fl1-x
)");
}

TEST_CASE("a deadlock is told like this", "[report]") {
  CHECK(report::explain(tests::deadlock(), plain) ==
        R"(deadlock: left and right wait for each other

Interleaving of execution 0 (4 steps)
step │ left                         │ right                        │ at
-----┼------------------------------┼------------------------------┼------------
   1 │   lock A                     │                              │
   2 │   (preempted)                │   lock B                     │
   3 │ ► lock B → blocked           │   (preempted)                │ locks.cpp:7
   4 │   ⋮                          │ ► lock A → blocked           │

Who waits for what
  left waits for B (lock at locks.cpp:7), held by right
  right waits for A (lock), held by left

How it ended
  Nothing could go on: no task was enabled and no deadline pending.

Output of left
    got A

2 of 3 replays failed the same way.
A replay departed: at step 3
Reproduce it with: forkloom replay fl1-y
)");
}

TEST_CASE("a wait-for graph that the checker's details tell is not told twice", "[report]") {
  auto found = tests::deadlock();
  found.violations[0].details = {"left is blocked on B"};
  CHECK_THAT(report::explain(found, plain), !Contains("Who waits for what"));
  found.violations[0].kind = violation_kind::starvation;
  CHECK_THAT(report::explain(found, plain), Contains("Who waits for what"));
}

TEST_CASE("a finding in brief is its violations and the replay line", "[report]") {
  CHECK(report::brief(tests::lost_update(), plain) ==
        "  lost_update: an update of account was lost\n"
        "  Reproduce it with: forkloom replay fl1-x\n");
}

TEST_CASE("the last line of every explanation replays it", "[report]") {
  for (const auto& found :
       {tests::lost_update(), tests::deadlock(), explore::finding{.token = "fl1-z"}}) {
    CHECK_THAT(report::explain(found, plain), EndsWith("forkloom replay " + found.token + "\n"));
    CHECK_THAT(report::explain(found, verbose), EndsWith("forkloom replay " + found.token + "\n"));
  }
}

TEST_CASE("the summary says the verdict, what was found and what was tried", "[report]") {
  auto result = tests::campaign_with(tests::lost_update());
  CHECK(report::summary(result, plain) ==
        "a scenario: VIOLATED, found lost_update [7 executions, 28 steps, 20 switches, random, "
        "seed 1, 0.50 s]\n");
  result.how = explore::verdict::as_expected;
  result.expected = {violation_kind::lost_update};
  CHECK_THAT(report::summary(result, plain),
             StartsWith("a scenario: as expected, found lost_update (expects lost_update) ["));
  result.how = explore::verdict::error;
  result.message = "no worker";
  CHECK_THAT(report::summary(result, plain),
             StartsWith("a scenario: ERROR") && EndsWith("]\n  no worker\n"));
}

TEST_CASE("what was not under control is named in the full report", "[report]") {
  auto result = tests::campaign_with(tests::lost_update());
  result.uncontrolled = {"recvmsg, 3 times"};
  CHECK_THAT(report::full_report(result, plain), Contains("not under control: recvmsg, 3 times\n"));
  result.message = "recvmsg, 3 times";
  CHECK_THAT(report::full_report(result, plain), !Contains("not under control"));
}

TEST_CASE("repeated failures are counted", "[report]") {
  auto found = tests::lost_update();
  CHECK_THAT(report::explain(found, plain), !Contains("executions failed like this"));
  found.occurrences = 5;
  CHECK_THAT(report::explain(found, plain), Contains("5 executions failed like this one.\n"));
}

TEST_CASE("colour appears only where it is asked for", "[report]") {
  const auto result = tests::campaign_with(tests::deadlock());
  CHECK(report::full_report(result, plain).find('\x1b') == std::string::npos);
  CHECK(report::full_report(result, coloured).find('\x1b') != std::string::npos);
}

TEST_CASE("captured output cannot control the terminal", "[report]") {
  auto found = tests::deadlock();
  found.what_happened.tasks[0].output = "a\x1b[2Jb\rc\n";
  CHECK_THAT(report::explain(found, plain), Contains("    a\\x1b[2Jb\\x0dc\n"));
}

TEST_CASE("long output is cut to its last lines unless verbose", "[report]") {
  auto found = tests::deadlock();
  auto& output = found.what_happened.tasks[0].output;
  output.clear();
  for (int i = 1; i <= 25; ++i) output += "line " + std::to_string(i) + "\n";
  const auto text = report::explain(found, plain);
  CHECK_THAT(text, Contains("    ⋯ 5 lines not shown\n    line 6\n") && !Contains("line 5\n"));
  CHECK_THAT(report::explain(found, verbose), Contains("    line 1\n") && !Contains("not shown"));
}

TEST_CASE("unusual ends of tasks are told", "[report]") {
  auto found = tests::lost_update();
  CHECK_THAT(report::explain(found, plain), !Contains("How it ended"));
  found.what_happened.tasks[0].end = {.kind = task_end::how::signalled, .code = 11};
  found.what_happened.tasks[1].end.code = 3;
  CHECK_THAT(
      report::explain(found, plain),
      Contains(
          "How it ended\n  teller 0 killed by signal 11 (SIGSEGV)\n  teller 1 exited with 3\n"));
}

TEST_CASE("a verbose explanation has the stacks of the evidence", "[report]") {
  auto found = tests::lost_update();
  found.what_happened.stacks = {{0x103, 0x900}};
  found.what_happened.sources[0x900] = "main.cpp:99";
  found.what_happened.events[2].stack = 1;
  CHECK_THAT(report::explain(found, verbose),
             Contains("  step 3, teller 0: store account = 110\n      /somewhere/bank.cpp:3\n      "
                      "main.cpp:99\n"));
  CHECK_THAT(report::explain(found, plain), !Contains("main.cpp:99"));
}

TEST_CASE("evidence and stacks that lead nowhere do no harm", "[report]") {
  auto found = tests::lost_update();
  found.violations[0].evidence = {1, 1'000'000};
  found.what_happened.events[1].stack = 77;
  found.what_happened.events[1].resource = resource_id{500};
  found.what_happened.events[0].task = task_id{500};
  CHECK_THAT(report::explain(found, verbose), EndsWith("forkloom replay fl1-x\n"));
}

TEST_CASE("a shrunk failure says which preemptions matter and when it became certain", "[report]") {
  auto found = tests::lost_update();
  CHECK_THAT(report::explain(found, plain), !Contains("What matters"));
  found.shrunk = explore::shrinking{.original = "fl1-long",
                                    .executions = 77,
                                    .complete = true,
                                    .before = {9, 0, 41, 60},
                                    .after = {1, 0, 2, 4},
                                    .preemptions = {{2, task_id{0}, task_id{1}, 2}},
                                    .critical_step = 4,
                                    .continuations = 20};
  const auto text = report::explain(found, plain);
  CHECK_THAT(text, Contains("1 preemption of 41 switches matters:\n  step 2: teller 1 goes instead "
                            "of teller 0, which was about to store account = 110 at bank.cpp:3\n"));
  CHECK_THAT(text, Contains("After step 4, teller 1: store account = 110 at bank.cpp:4, it fails "
                            "however it goes on (20 of 20 tries)."));
  auto at_the_end = found;
  at_the_end.shrunk->continuations = 0;
  CHECK_THAT(report::explain(at_the_end, plain),
             Contains("Until its last step, 4, teller 1: store account = 110 at bank.cpp:4, it may "
                      "go on without failing."));
  CHECK_THAT(text, Contains("Shrunk from 9 preemptions, 41 switches, 60 steps to 1 preemption, 2 "
                            "switches, 4 steps in 77 executions; no fewer preemptions do.\n"));
  CHECK_THAT(text, Contains("As it was found: fl1-long\n"));
  CHECK_THAT(text, !Contains("another run may get further"));
  found.shrunk->given_up_after_ms = 60'000;
  CHECK_THAT(report::explain(found, plain),
             Contains("in 77 executions; no fewer preemptions do; stopped after 60 s: another run "
                      "may get further.\n"));
}

TEST_CASE("a shrunk failure says which faults matter, and what they struck", "[report]") {
  auto found = tests::lost_update();
  found.shrunk = explore::shrinking{.continuations = 20};
  CHECK_THAT(report::explain(found, plain), !Contains("fault"));
  auto& second = found.what_happened.events[1];
  second.op = operation::fault;
  second.before = index(fault_kind::stop);
  second.after = static_cast<std::uint64_t>(operation::load);
  CHECK_THAT(report::explain(found, plain),
             Contains("1 fault matters:\n  step 2, teller 1: fault: stopped before load account at "
                      "bank.cpp:2\n"));
  auto& third = found.what_happened.events[2];
  third = second;
  third.step = 3;
  third.before = index(fault_kind::kill);
  CHECK_THAT(report::explain(found, plain),
             Contains("2 faults matter:\n  step 2, teller 1: fault: stopped before load account at "
                      "bank.cpp:2\n  step 3, teller 1: fault: killed in load account at"));
}

TEST_CASE("a failure without preemptions, certain from the start, is told so", "[report]") {
  auto found = tests::deadlock();
  found.shrunk = explore::shrinking{.before = {9, 0, 41, 60}, .continuations = 20};
  const auto text = report::explain(found, plain);
  CHECK_THAT(text, Contains("None of 41 switches need be a preemption"));
  CHECK_THAT(text, Contains("However it goes on from the start, it fails (20 of 20 tries)."));
  found.shrunk->continuations = 0;
  CHECK_THAT(report::explain(found, plain), !Contains("however") && !Contains("However"));
}

TEST_CASE("a preempted task that did nothing more is named without it", "[report]") {
  auto found = tests::lost_update();
  found.shrunk = explore::shrinking{.preemptions = {{2, task_id{0}, task_id{1}, 4}}};
  CHECK_THAT(report::explain(found, plain), Contains("teller 1 goes instead of teller 0\n"));
}
