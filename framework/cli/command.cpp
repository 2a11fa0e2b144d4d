#include "framework/cli/command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "forkloom/error.hpp"
#include "framework/cli/commands.hpp"
#include "framework/explore/campaign.hpp"

namespace forkloom::cli {
namespace {

struct dispatch {
  int operator()(const list_request& request) const { return list(request); }
  int operator()(const run_request& request) const { return run(request); }
  int operator()(const replay_request& request) const { return replay(request); }
  int operator()(const show_checkers& request) const { return show(request); }
  int operator()(const show_strategies& request) const { return show(request); }
  int operator()(const show_faults& request) const { return show(request); }
  int operator()(const show_text& request) const {
    fmt::print("{}", request.text);
    return exit_code::as_expected;
  }
};

// 128 + n after signal n, which stands above everything else that may have gone wrong.
int unless_interrupted(int code) noexcept {
  const int signal = explore::interrupting_signal();
  return signal == 0 ? code : 128 + signal;
}

int complain(const std::exception& error, int code) noexcept {
  std::fputs("forkloom: ", stderr);
  std::fputs(error.what(), stderr);
  std::fputs("\n", stderr);
  return code;
}

// Output that did not reach its destination (a full disk) must not look like success.
int flushed(int code) noexcept {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  std::fputs("forkloom: cannot write to stdout\n", stderr);
  return exit_code::internal;
}

}  // namespace

int run_command(int argc, char** argv) noexcept {
  try {
    return unless_interrupted(flushed(std::visit(dispatch{}, parse_command_line(argc, argv))));
  } catch (const usage_error& error) {
    return complain(error, exit_code::usage);
  } catch (const std::exception& error) {
    return unless_interrupted(complain(error, exit_code::internal));
  }
}

}  // namespace forkloom::cli
