# Who may include whom: the arrows between the folders.
#
# exceptions: a file whose lines are "including-file included-file reason …"; its own rule is that
# each has a reason and is still in use.
BEGIN {
  posix = " aio arpa/inet assert cpio ctype dirent dlfcn errno fcntl fnmatch ftw glob grp iconv" \
    " inttypes langinfo limits locale mqueue net/if netdb netinet/in netinet/tcp poll pthread pwd" \
    " regex sched search semaphore setjmp signal spawn stdarg stdbool stddef stdint stdio stdlib" \
    " string strings sys/ipc sys/mman sys/msg sys/resource sys/select sys/sem sys/shm sys/socket" \
    " sys/stat sys/statvfs sys/time sys/times sys/types sys/uio sys/un sys/utsname sys/wait syslog" \
    " tar termios time unistd utime wchar wctype wordexp "
  while ((getline line < exceptions) > 0) {
    number++
    if (line ~ /^#/ || line ~ /^[ \t]*$/) continue
    count = split(line, word, " ")
    if (count < 3) {
      complain(number, "an exception needs a reason after its two files")
      continue
    }
    excepted[word[1], word[2]] = number
  }
}

function complain(line_number, what) {
  printf "%s:%d: include-exception: %s\n", exceptions, line_number, what
  failed = 1
}

function starts_with(text, start) { return substr(text, 1, length(start)) == start }

# The standard library's headers are the ones without a suffix and without a folder.
function is_standard(header) { return header ~ /^[a-z0-9_]+$/ }

function is_posix(header) {
  return ends_with(header, ".h") &&
         index(posix, " " substr(header, 1, length(header) - 2) " ") > 0
}

function allowed(header) {
  if (starts_with(FILENAME, "checkers/")) {
    return is_standard(header) || starts_with(header, "fmt/") || header == "forkloom/violation.hpp" ||
           header == "forkloom/history.hpp" || header == "forkloom/state_table.hpp" ||
           starts_with(header, "framework/trace/") || starts_with(header, "checkers/")
  }
  if (starts_with(FILENAME, "scenarios/")) {
    return is_standard(header) || is_posix(header) || starts_with(header, "boost/") ||
           starts_with(header, "forkloom/") || starts_with(header, "scenarios/") ||
           header == "rapidcheck.h"
  }
  if (starts_with(FILENAME, "framework/include/")) {
    return header == "rapidcheck.h" || is_standard(header) || is_posix(header) || starts_with(header, "forkloom/")
  }
  if (starts_with(FILENAME, "framework/")) {
    return !starts_with(header, "scenarios/") && !starts_with(header, "tests/")
  }
  return 1
}

is_cpp(FILENAME) && /^[ \t]*#[ \t]*include[ \t]*[<"]/ {
  header = $0
  sub(/^[^<"]*[<"]/, "", header)
  sub(/[>"].*$/, "", header)
  if (allowed(header)) next
  if ((FILENAME, header) in excepted) {
    used[FILENAME, header] = 1
    next
  }
  folder = FILENAME
  sub(/\/.*/, "", folder)
  if (starts_with(FILENAME, "framework/include/")) folder = "framework/include"
  broken("include", folder "/ may not include " header)
}

END {
  for (pair in excepted) {
    if (!(pair in used)) complain(excepted[pair], "nobody needs this exception any more")
  }
  exit failed
}
