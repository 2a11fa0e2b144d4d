#include "framework/dsl/scenario_engine.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <system_error>

#include "forkloom/error.hpp"
#include "framework/execution/failure.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/mappings.hpp"
#include "framework/execution/stop.hpp"

namespace forkloom::detail {
namespace {

// In the child. An exception that leaves the body is recorded, and the execution ends there: the
// processes could not go on in any way that means something.
void run_body(const std::function<void(process&)>& body, std::string name, unsigned index) {
  const auto stop = [](std::string_view what) {
    execution::stop_execution(failure_record::what::exception, "", 0, what);
  };
  try {
    process self(std::move(name), index);
    body(self);
  } catch (const abi::__forced_unwind&) {
    throw;  // pthread_exit or a cancellation: no exception, and it must go on
  } catch (const std::exception& e) {
    stop(e.what());
  } catch (...) {
    stop("an exception that is no std::exception");
  }
}

}  // namespace

trace scenario_engine::execute(const scenario_info& info) {
  std::exception_ptr misuse;
  try {
    scenario declared(*this);
    watch_.emplace(limit_);
    info.body(declared);
    if (!ran_ && !program_.missing) run_processes();
  } catch (const usage_error&) {
    misuse = std::current_exception();
  } catch (const std::exception& e) {
    trouble_ = e.what();
  }
  watch_.reset();
  if (!ran_) controller_.abandon();
  destroy_objects();
  auto result = controller_.harvest();
  result.histories = std::move(histories_);
  memory_.reset();
  if (misuse) std::rethrow_exception(misuse);
  if (!system_trouble_.empty()) {
    result.how = ending::failed;
    result.detail = system_trouble_;
  } else if (!trouble_.empty()) {
    result.how = ending::failed;
    result.detail =
        info.line == 0 ? trouble_ : fmt::format("the scenario's body threw: {}", trouble_);
  } else if (result.tasks.empty() && !program_.missing) {
    throw usage_error(
        fmt::format("scenario \"{}\" ({}:{}) declares no process; call scenario.processes() or "
                    "scenario.process() in its body",
                    info.name, info.file, info.line));
  }
  judge_ends(result);
  return result;
}

// A fork that fails is the system's doing, not the scenario's: it is remembered, so that the
// scenario cannot swallow it with its own exceptions.
task_id scenario_engine::fork_task(const std::string& name, const std::function<void()>& body) {
  try {
    return controller_.spawn(name, body);
  } catch (const std::system_error& e) {
    system_trouble_ = fmt::format(
        "cannot make process \"{}\": {}. Is a limit too low (ulimit -u, ulimit -n, pids.max)?",
        name, e.what());
    throw;
  }
}

unsigned scenario_engine::add(std::string_view name, unsigned count, bool numbered,
                              const std::function<void(process&)>& body) {
  if (ran_)
    throw usage_error(
        fmt::format("process \"{}\" is declared after finally(), when all have ended", name));
  if (count == 0) throw usage_error(fmt::format("processes(\"{}\", 0, …) declares nobody", name));
  const auto first = static_cast<unsigned>(allowances_.size());
  // The mappings are read once, here, and not in every child.
  static_cast<void>(execution::shared_mapping_at(0));
  for (unsigned i = 0; i < count; ++i) {
    auto full_name = numbered ? fmt::format("{} {}", name, i) : std::string(name);
    allowances_.emplace_back();
    const auto task = fork_task(full_name, [&] { run_body(body, full_name, i); });
    if (task == no_task) break;  // the execution has ended with ending::task_limit
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

void scenario_engine::run_processes() {
  ran_ = true;
  watch_.reset();
  if (!allowances_.empty()) controller_.run();
}

bool scenario_engine::cut_short() { return controller_.memory().schedule.how != ending::finished; }

void scenario_engine::finally(const std::function<void()>& check) {
  if (!ran_) run_processes();
  if (cut_short()) return;
  const body_limit::watch time_runs(limit_);
  check();
}

void* scenario_engine::allocate(std::size_t size, std::size_t alignment, std::string_view name) {
  void* place = memory_.allocate(size, alignment);
  execution::name_memory(place, size, name);
  return place;
}

// In the reverse order of construction, as for any scope.
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
    end.allowed = (end.kind == task_end::how::exited && end.code == 0) ||
                  (end.kind != task_end::how::alive &&
                   std::find(fine.begin(), fine.end(), end.code) != fine.end());
  }
}

}  // namespace forkloom::detail
