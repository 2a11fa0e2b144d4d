// One fault for each sanitizer: what a sanitized build must not let pass. See aborts_with.sh.
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>

namespace {

// Not const: what the compiler knows, it would compute away.
volatile int one = 1;

int overflow_the_heap() {
  const auto block = std::make_unique<char[]>(8);
  const volatile char* bytes = block.get();
  return bytes[8 * one];
}

int overflow_an_int() { return std::numeric_limits<int>::max() + one; }

int leak() {
  static_cast<void>(*new volatile int{one});
  return 0;
}

}  // namespace

// Prints the result: nobody may drop a computation whose value is seen.
int main(int argc, char** argv) {
  const auto* fault = argc == 2 ? argv[1] : "";
  int result = -1;
  if (std::strcmp(fault, "heap") == 0) result = overflow_the_heap();
  if (std::strcmp(fault, "overflow") == 0) result = overflow_an_int();
  if (std::strcmp(fault, "leak") == 0) result = leak();
  std::printf("%d\n", result);
  return 0;
}
