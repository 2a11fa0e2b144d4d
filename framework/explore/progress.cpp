#include "framework/explore/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "framework/trace/counted.hpp"

namespace forkloom::explore {
namespace {

using namespace std::chrono_literals;

constexpr auto terminal_pause = 100ms;
constexpr auto file_pause = 2s;

// Back to the line's beginning, and nothing behind what is written next.
constexpr const char* line_anew = "\r\x1b[K";

}  // namespace

std::string progress_text(const std::string& scenario, const coverage_book& seen, double seconds) {
  const auto rate = seconds > 0 ? static_cast<double>(seen.executions()) / seconds : 0.0;
  return fmt::format("{}: {}, {:.0f}/s, {}, {}, {}", scenario,
                     counted(seen.executions(), "execution"), rate,
                     counted(seen.classes(), "class"), counted(seen.orderings(), "ordering"),
                     counted(seen.lock_states(), "lock state"));
}

progress_line::progress_line(std::string scenario, bool wanted)
    : scenario_(std::move(scenario)),
      wanted_(wanted),
      terminal_(wanted && ::isatty(STDERR_FILENO) != 0) {
  if (!terminal_) next_ += file_pause;
}

progress_line::~progress_line() {
  if (shown_ && terminal_) fmt::print(stderr, "{}", line_anew);
}

void progress_line::show(const coverage_book& seen) {
  if (!wanted_) return;
  const auto now = clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? clock::duration(terminal_pause) : clock::duration(file_pause));
  write(seen);
}

void progress_line::finish(const coverage_book& seen) {
  if (wanted_ && !terminal_) write(seen);
}

void progress_line::write(const coverage_book& seen) {
  shown_ = true;
  const std::chrono::duration<double> passed = clock::now() - begin_;
  const auto text = progress_text(scenario_, seen, passed.count());
  if (terminal_)
    fmt::print(stderr, "{}{}", line_anew, text);
  else
    fmt::print(stderr, "{}\n", text);
  std::fflush(stderr);
}

}  // namespace forkloom::explore
