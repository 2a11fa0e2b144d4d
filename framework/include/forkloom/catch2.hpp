// Scenarios as Catch2 test cases. Link forkloom_catch2_main and there is nothing to write: its
// main() makes every FORKLOOM_SCENARIO of the binary a test case with the scenario's name, tags,
// file and line. With a main() of your own, link forkloom_catch2 and call the function below.
#pragma once

namespace forkloom {

// Registers every scenario of this binary with Catch2. To be called once, in main(), before the
// Catch::Session runs. FORKLOOM_EXECUTIONS, FORKLOOM_SEED, FORKLOOM_STRATEGY and FORKLOOM_REPLAY
// apply; a strategy with commas is a list, and each of the list is a section of the test case.
void register_scenarios_with_catch2();

}  // namespace forkloom
