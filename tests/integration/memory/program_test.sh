#!/bin/sh
# program_test.sh BIN COMPILER: programs that forkloom-cc has built run under `forkloom run`, and the
# races of their processes are found; of processes that lock, none are.
set -eu
bin=$1
export FORKLOOM_CC="$2"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "failed: $1" >&2
  cat output >&2
  exit 1
}

cat > program.c <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct till {
  pthread_mutex_t lock;
  int money;
};

static void pay(struct till* till, int locks) {
  if (locks) pthread_mutex_lock(&till->lock);
  till->money += 10;
  if (locks) pthread_mutex_unlock(&till->lock);
}

int main(int argc, char** argv) {
  struct till* till = mmap(NULL, sizeof *till, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t shared;
  pthread_mutexattr_init(&shared);
  pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&till->lock, &shared);
  const int locks = argc > 1;
  (void)argv;
  const pid_t child = fork();
  pay(till, locks);
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
  return till->money == 20 ? 0 : 1;
}
END
"$bin/forkloom-cc" -Wall -Wextra -Werror -g -O1 program.c -o program

# Natively it is as good as ever: both increments meet rarely.
./program with a lock || fail "the program itself"

"$bin/forkloom" run --executions 300 -- ./program with a lock > output || fail "locked: $?"
status=0
"$bin/forkloom" run --executions 300 -- ./program > output || status=$?
[ $status = 1 ] || fail "not locked: exit code $status"
grep -q "data race on" output || fail "not locked: no data race"
grep -q "nothing orders the two" output || fail "not locked: no reason"
grep -q "program\.c:14" output || fail "not locked: no line"
