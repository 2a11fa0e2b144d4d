#!/bin/sh
# does_not_compile.sh TEXT COMPILER… FILE: the compiler must refuse the file with that text, and must
# accept it with -DHAS_EQUALITY, so that nothing else can be what it refuses.
text=$1
shift
if said=$("$@" -fsyntax-only 2>&1); then
  echo "it compiles" && exit 1
fi
if ! printf '%s\n' "$said" | grep -q -F "$text"; then
  printf '%s\n' "refused, but without \"$text\":" "$said" && exit 1
fi
"$@" -DHAS_EQUALITY -fsyntax-only
