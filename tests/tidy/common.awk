# Loaded before each rule: says where it is broken, and remembers for its END that it was.
function broken(rule, what) {
  printf "%s:%d: %s: %s\n", FILENAME, FNR, rule, what
  failed = 1
}

function ends_with(text, end) {
  return substr(text, length(text) - length(end) + 1) == end
}

function is_cpp(name) { return ends_with(name, ".cpp") || ends_with(name, ".hpp") }

function is_code(name) {
  return is_cpp(name) || ends_with(name, ".cmake") || ends_with(name, "CMakeLists.txt") ||
         ends_with(name, ".sh") || ends_with(name, ".awk") || name == "bootstrap"
}
