#!/bin/sh
# wrapper_test.sh BIN COMPILER C++COMPILER: what forkloom-cc and forkloom-c++ build runs as ever, in
# one step and in two, and calls Forkloom's callbacks instead of libtsan's.
set -eu
bin=$1
export FORKLOOM_CC="$2" FORKLOOM_CXX="$3"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "failed: $1" >&2
  exit 1
}

cat > program.c <<'END'
#include <stdio.h>
#include <string.h>
static int counter;
int main(int argc, char** argv) {
  char copy[64];
  memcpy(copy, argv[0], strlen(argv[0]) + 1);
  counter += 40 + argc;
  __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  printf("%d\n", counter);
  return copy[0] != argv[0][0];
}
END
cp program.c program.cpp

check() {
  [ "$(./program)" = 42 ] || fail "$1: the program's output"
  ldd program > libraries
  grep -q libforkloom_memory libraries || fail "$1: libforkloom_memory is not linked"
  ! grep -q libtsan libraries || fail "$1: libtsan is linked"
  rm -f program
}

for level in -O0 -O2; do
  "$bin/forkloom-cc" -Wall -Wextra -Werror $level -g program.c -o program
  check "C, one step, $level"
  "$bin/forkloom-cc" -Wall -Wextra -Werror $level -g -c program.c -o program.o
  nm -u program.o | grep -q __tsan_write4 || fail "the object is not instrumented"
  "$bin/forkloom-cc" program.o -o program
  check "C, two steps, $level"
  "$bin/forkloom-c++" -Wall -Wextra -Werror $level -g program.cpp -o program
  check "C++, one step, $level"
done

"$bin/forkloom-cc" --version > version || fail "--version"
"$FORKLOOM_CC" --version | cmp - version || fail "--version says something else"
if "$bin/forkloom-cc" -c no-such-file.c 2> message; then fail "a missing file compiles"; fi
