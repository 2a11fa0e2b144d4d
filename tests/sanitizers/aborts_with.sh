#!/bin/sh
# aborts_with.sh TEXT PROGRAM [ARGUMENT …]: passes if the program dies of abort() and has TEXT in
# its output. The environment's sanitizer options are put away: the program's own are on trial.
set -u
unset ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
text=$1
shift

output=$("$@" 2>&1)
status=$?
printf '%s\n' "$output"

aborted=134 # 128 + SIGABRT, as the shell tells it
if [ "$status" -ne "$aborted" ]; then
  echo "FAILED: exit status $status where $aborted (abort) was expected"
  exit 1
fi
case $output in
  *"$text"*) ;;
  *) echo "FAILED: the output does not contain '$text'" && exit 1 ;;
esac
