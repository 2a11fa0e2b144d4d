#!/bin/sh
# Each rule of tidy.sh finds what it is for, says where, and is silent about the good twin.
set -u
rules=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
tree=$(mktemp -d) || exit 2
trap 'rm -rf -- "$tree"' EXIT
failures=0

# A tree of one file with these lines, and what tidy.sh says of it.
excepting='# nothing is excepted'
said_of() {
  file=$1
  shift
  rm -rf -- "${tree:?}"/*
  mkdir -p -- "$tree/$(dirname -- "$file")" "$tree/tests/tidy"
  printf '%s\n' "$excepting" >"$tree/tests/tidy/include_exceptions.txt"
  printf '%b\n' "$@" >"$tree/$file"
  "$rules/tidy.sh" "$tree" 2>&1
}

complain() {
  printf 'FAILED: %s\n' "$1"
  printf '%s\n' "$2" | sed 's/^/    /'
  failures=$((failures + 1))
}

# breaks RULE LINE FILE LINES…: that line of the file, and no other, breaks that rule.
breaks() {
  rule=$1 line=$2 file=$3
  shift 2
  said=$(said_of "$@") && complain "$rule in $file: tidy.sh does not fail" "$said"
  printf '%s\n' "$said" | grep -q "^$file:$line: $rule: " ||
    complain "$rule in $file: expected at line $line" "$said"
  [ "$(printf '%s\n' "$said" | grep -c ": $rule: ")" -eq 1 ] ||
    complain "$rule in $file: expected once" "$said"
}

# keeps WHAT FILE LINES…: breaks nothing.
keeps() {
  what=$1
  shift
  said=$(said_of "$@") || complain "$what: should be allowed" "$said"
}

repeat() { awk -v text="$1" -v times="$2" 'BEGIN { while (times-- > 0) printf "%s", text }'; }

breaks line-length 2 framework/a.cpp '' "// $(repeat x 98)"
keeps "100 columns" framework/a.cpp "// $(repeat x 97)"
keeps "100 columns of two bytes each" framework/a.cpp "// $(repeat ä 97)"
keeps "a long line of prose" docs/a.md "$(repeat 'word ' 40)end"

breaks tab 1 framework/a.hpp '\tint a;'
breaks trailing-space 2 docs/a.md 'one' 'two '
breaks file-length 501 framework/a.cpp "$(repeat '//\n' 501)//"
keeps "500 lines" framework/a.cpp "$(repeat '//\n' 499)//"
keeps "a long document" docs/a.md "$(repeat 'word\n' 600)word"

breaks leftover-mark 1 framework/a.cpp "// TO""DO: finish"
breaks leftover-mark 1 cmake/a.cmake "# FIX""ME"
breaks leftover-mark 1 docs/a.md "X""XX (HA""CK)"
keeps "a mark within a word" docs/a.md "mktemp a.X""X""XX" "HA""CKNEY"

breaks machine-path 1 README.md "see /wo""rk/here"
breaks machine-path 1 tests/a.sh "cd /ro""ot/x"
breaks machine-path 1 docs/a.md "in /ho""me/me"
keeps "a folder of the project" docs/a.md "see framework/execution and net""work/x"

breaks include 2 checkers/a.cpp '#include <vector>' '#include "framework/execution/arena.hpp"'
breaks include 1 checkers/a.cpp '#include "forkloom/options.hpp"'
breaks include 1 checkers/a.hpp '#include <unistd.h>'
keeps "a checker's includes" checkers/a.cpp '#include "checkers/checker.hpp"' '' \
  '#include <fmt/format.h>' '#include <vector>' '' '#include "forkloom/violation.hpp"' \
  '#include "framework/trace/trace.hpp"'

breaks include 1 scenarios/a.cpp '#include "framework/trace/trace.hpp"'
breaks include 1 scenarios/a.cpp '#include <fmt/core.h>'
keeps "a scenario's includes" scenarios/a.cpp '#include <forkloom/forkloom.hpp>' '#include <mutex>' \
  '' '#include <boost/interprocess/sync/named_mutex.hpp>' '#include <sys/mman.h>' '' \
  '#include "scenarios/bank.hpp"'

breaks include 1 framework/include/forkloom/a.hpp '#include "framework/trace/trace.hpp"'
breaks include 1 framework/include/forkloom/a.hpp '#include <fmt/core.h>'
keeps "a public header's includes" framework/include/forkloom/a.hpp '#include <semaphore.h>' '' \
  '#include <string>' '' '#include "forkloom/error.hpp"'

breaks include 1 framework/trace/a.cpp '#include "tests/catch.hpp"'
breaks include 1 framework/trace/a.cpp '#include "scenarios/bank.hpp"'
keeps "what only looks like an include" checkers/a.cpp '// as in #include <unistd.h>'

exceptions=tests/tidy/include_exceptions.txt
breaks include-exception 1 "$exceptions" 'checkers/a.cpp unistd.h'
excepting='checkers/a.cpp unistd.h'
breaks include 1 checkers/a.cpp '#include <unistd.h>'
excepting='checkers/a.cpp unistd.h its reason'
keeps "an exception with a reason" checkers/a.cpp '#include <unistd.h>'
breaks include 1 checkers/b.cpp '#include <unistd.h>'
excepting='# nothing is excepted'
breaks include-exception 2 "$exceptions" '# fine' 'checkers/gone.cpp unistd.h nobody includes it'

if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
  cp -- "$rules/../../.clang-format" "$tree/.clang-format"
  breaks layout 2 framework/a.cpp 'int a;' 'int   b;'
  keeps "the formatter's own layout" framework/a.cpp 'int a;' 'int b;'
fi

[ "$failures" -eq 0 ] && echo "every rule finds its fault and spares its twin"
