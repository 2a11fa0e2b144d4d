#!/bin/sh
# The house rules that a program can check. tidy.sh [ROOT]: prints "file:line: rule: what" for each
# line of the project that breaks one, and fails if any does.
#
# It needs no more than a bare Debian has: sh, find and awk; the layout is checked only where
# clang-format 14 is installed, as other versions lay out otherwise. The project's files are those
# in its folders, not those that git knows: a file is checked before it is committed, and where
# there is no git.
set -u
export LC_ALL=C

rules=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd -- "${1:-$rules/../..}" || exit 2
failures=0

# check_all RULE.awk FILES [awk option …]: FILES is a list, one name a line.
check_all() {
  rule=$1 files=$2
  shift 2
  printf '%s\n' "$files" | xargs -d '\n' awk "$@" -f "$rules/common.awk" -f "$rules/$rule" ||
    failures=$((failures + 1))
}

project_files() {
  find . -maxdepth 1 -type f ! -name '.git' | sed 's|^\./||'
  for folder in .ci .github checkers cmake docs framework scenarios tests; do
    if [ -d "$folder" ]; then find "$folder" -type f; fi
  done | grep -v -E '\.(png|svg|gif|jpg|ico|zst|gz)$'
}

# The formatter, if this machine has the version whose layout is the rule; else nothing.
formatter() {
  for candidate in clang-format-14 clang-format; do
    case $("$candidate" --version 2>/dev/null) in
      *'version 14.'*) echo "$candidate" && return ;;
    esac
  done
}

check_layout() {
  format=$(formatter)
  if [ -z "$format" ]; then
    echo "tidy: no clang-format 14 here, so the layout is not checked"
    return
  fi
  # Its first error in a file is enough: the remedy is the same for all.
  layout=$(printf '%s\n' "$1" | grep -E '\.[ch]pp$' |
    xargs -d '\n' "$format" --style=file --dry-run 2>&1 | grep -E '^[^ ].*warning:' |
    sed -E 's/^([^:]*:[0-9]+):.*/\1: layout: run clang-format -i on it/' | sort -u -t : -k 1,1)
  if [ -n "$layout" ]; then
    printf '%s\n' "$layout"
    failures=$((failures + 1))
  fi
}

files=$(project_files | sort)
check_all text.awk "$files"
check_all includes.awk "$files" -v exceptions="${EXCEPTIONS:-tests/tidy/include_exceptions.txt}"
check_layout "$files"
[ "$failures" -eq 0 ] && echo "tidy: all rules hold in $(printf '%s\n' "$files" | wc -l) files"
