#include "framework/execution/failure.hpp"

#include <algorithm>
#include <span>

#include "framework/execution/scheduler.hpp"

namespace forkloom::execution {
namespace {

void copy(std::span<char> to, std::string_view from) noexcept {
  const auto length = std::min(from.size(), to.size() - 1);
  std::copy_n(from.begin(), length, to.begin());
  to[length] = '\0';
}

}  // namespace

void record_failure(arena& a, task_id task, failure_record::what kind, std::string_view file,
                    std::uint32_t line, std::string_view text) noexcept {
  append_event(a, task, operation::expect, no_resource, outcome::completed);
  if (a.failure_count == failure_capacity) return;
  auto& f = a.failures[a.failure_count++];
  f.kind = kind;
  f.task = task;
  f.line = line;
  f.step = a.schedule.step;
  copy(f.file, file);
  copy(f.text, text);
}

}  // namespace forkloom::execution
