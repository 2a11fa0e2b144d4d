// forkloom-stress SECONDS NAME: runs the bodies of a scenario as plain processes, without control,
// again and again for that time, and prints how often that was and how often something was seen to
// fail: an expectation, an end that is not allowed, or processes that do not come to their end.
//
// Scenarios call on their engine; here is another one of the same name, which forks and waits. The
// linker takes it instead of the framework's, because it comes first.
#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "forkloom/error.hpp"
#include "framework/dsl/program_choice.hpp"
#include "framework/dsl/scenario_engine.hpp"
#include "framework/execution/process_tree.hpp"
#include "framework/explore/worker.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

// Processes of a scenario that take longer wait for each other.
constexpr std::chrono::milliseconds patience{500};

// So does what comes before and after them: the destructor of a condition variable waits for those
// who wait, and they may have been killed.
constexpr auto patience_with_run = 2 * patience;

struct child {
  pid_t pid = -1;
  bool ended = false;
  int status = 0;
};

std::vector<child> children;
bool stuck = false;

// False if that takes too long.
bool all_end(std::vector<child>& all, std::chrono::milliseconds limit) {
  const auto end = clock_type::now() + limit;
  for (;;) {
    bool ended = true;
    for (auto& c : all) {
      if (!c.ended) c.ended = ::waitpid(c.pid, &c.status, WNOHANG) == c.pid;
      ended = ended && c.ended;
    }
    if (ended) return true;
    if (clock_type::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

}  // namespace

namespace forkloom::detail {

unsigned scenario_engine::add(std::string_view name, unsigned count, bool /*numbered*/,
                              const std::function<void(process&)>& body) {
  const auto first = static_cast<unsigned>(allowances_.size());
  for (unsigned i = 0; i < count; ++i) {
    allowances_.emplace_back();
    const auto pid = ::fork();
    if (pid == 0) {
      try {
        process self{std::string(name), i};
        body(self);
      } catch (...) {
        ::_exit(99);
      }
      std::exit(0);  // NOLINT(concurrency-mt-unsafe): as a process ends that nobody controls
    }
    children.push_back({.pid = pid});
  }
  return first;
}

void scenario_engine::allow_exit(unsigned first, unsigned count, int code) {
  for (auto i = first; i < first + count && i < allowances_.size(); ++i)
    allowances_[i].codes.push_back(code);
}

void scenario_engine::allow_signal(unsigned first, unsigned count, int signal) {
  for (auto i = first; i < first + count && i < allowances_.size(); ++i)
    allowances_[i].signals.push_back(signal);
}

void scenario_engine::finally(const std::function<void()>& check) {
  ran_ = true;
  stuck = !all_end(children, patience);
  if (!stuck) check();
}

void* scenario_engine::allocate(std::size_t size, std::size_t alignment,
                                std::string_view /*name*/) {
  return memory_.allocate(size, alignment);
}

// In place of a trace: only whether all went well.
trace scenario_engine::execute(const scenario_info& info) {
  children.clear();
  stuck = false;
  trace result;
  try {
    scenario declared(*this);
    info.body(declared);
    if (!ran_) finally([] {});
  } catch (const std::exception&) {
    stuck = true;
  }
  execution::kill_and_reap_descendants();
  destroy_objects();
  memory_.reset();
  for (const auto& c : children) {
    task_record t;
    if (!c.ended)
      t.end = {};
    else if (WIFSIGNALED(c.status))
      t.end = {.kind = task_end::how::signalled, .code = WTERMSIG(c.status)};
    else
      t.end = {.kind = task_end::how::exited, .code = WEXITSTATUS(c.status)};
    result.tasks.push_back(t);
  }
  result.how = stuck ? ending::stuck : ending::finished;
  judge_ends(result);
  return result;
}

void scenario_engine::destroy_objects() {
  while (!destructors_.empty()) {
    destructors_.back()();
    destructors_.pop_back();
  }
}

void scenario_engine::judge_ends(trace& result) const {
  for (std::size_t i = 0; i < result.tasks.size() && i < allowances_.size(); ++i) {
    auto& end = result.tasks[i].end;
    const auto& [codes, signals] = allowances_[i];
    const auto& fine = end.kind == task_end::how::signalled ? signals : codes;
    end.allowed = end.kind == task_end::how::exited && end.code == 0;
    for (const auto code : fine) end.allowed = end.allowed || end.code == code;
  }
}

}  // namespace forkloom::detail

namespace {

using namespace forkloom;

bool fails(const scenario_info& scenario, execution::controller& failures,
           execution::scenario_memory& memory, detail::body_limit& limit) {
  failures.begin(strategy::random_walk{}, 1, false);
  detail::program_choice program;
  detail::scenario_engine engine(failures, memory, limit, scenario.defaults, 1, program);
  const auto result = engine.execute(scenario);
  bool all_fine = result.how == ending::finished && failures.memory().failure_count == 0;
  for (const auto& t : result.tasks) all_fine = all_fine && t.end.allowed;
  return !all_fine;
}

// In a process of its own, which ends with all that it has open, whatever has become of the others.
bool fails_apart(const scenario_info& scenario, execution::controller& failures,
                 execution::scenario_memory& memory, detail::body_limit& limit) {
  std::vector<child> run{{.pid = ::fork()}};
  if (run.front().pid == 0) ::_exit(fails(scenario, failures, memory, limit) ? 1 : 0);
  const bool ended = all_end(run, patience_with_run);
  execution::kill_and_reap_descendants();
  return !ended || run.front().status != 0;
}

// A worker stays on one processor, where processes hardly ever meet.
void spread_over_processors() {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &all);
  ::sched_setaffinity(0, sizeof all, &all);
}

std::string stress(const scenario_info& scenario, double seconds) {
  spread_over_processors();
  // Expectations that do not hold are written into its arena; it controls nobody.
  execution::controller failures({}, -1);
  execution::scenario_memory memory;
  detail::body_limit limit{std::chrono::seconds(60)};
  unsigned long runs = 0;
  unsigned long failed = 0;
  const auto end = clock_type::now() + std::chrono::duration<double>(seconds);
  do {
    ++runs;
    failed += fails_apart(scenario, failures, memory, limit) ? 1 : 0;
  } while (clock_type::now() < end);
  return fmt::format("{} {}\n", runs, failed);
}

}  // namespace

int main(int argc, char** argv) {
  const auto* scenario = argc == 3 ? find_scenario(argv[2]) : nullptr;
  if (scenario == nullptr) {
    fmt::print(stderr, "usage: forkloom-stress SECONDS SCENARIO\n");
    return 2;
  }
  const auto seconds = std::strtod(argv[1], nullptr);
  fmt::print("{}", explore::run_in_worker(
                       [&](const explore::worker_context&) { return stress(*scenario, seconds); }));
}
