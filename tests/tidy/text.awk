# What a line of text may look like. Runs in the C locale, so lengths are bytes at first.
BEGIN {
  width = 100    # columns of a line of C++
  lines_max = 500 # lines of a file of code; beyond that it has more than one idea
  # Put together from pieces, so that the rules do not find themselves.
  mark = "(^|[^A-Za-z_])(TO" "DO|FIX" "ME|X" "XX|HA" "CK)([^A-Za-z_]|$)"
  machine_path = "(^|[^A-Za-z0-9_.-])/(wo" "rk|ro" "ot|ho" "me)/"
}

# Columns: a byte that continues a UTF-8 character takes none.
function columns(line) {
  gsub(/[\200-\277]/, "", line)
  return length(line)
}

is_cpp(FILENAME) && columns($0) > width {
  broken("line-length", columns($0) " columns, " width " at most")
}
is_cpp(FILENAME) && /\t/ { broken("tab", "indent with spaces") }
is_code(FILENAME) && FNR == lines_max + 1 {
  broken("file-length", "more than " lines_max " lines: split it by idea")
}
/[ \t\r]$/ { broken("trailing-space", "white space at the end of the line") }
$0 ~ mark { broken("leftover-mark", "do it, or write down elsewhere that it is to be done") }
$0 ~ machine_path { broken("machine-path", "a path that exists on one machine only") }

END { exit failed }
