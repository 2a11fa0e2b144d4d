#include "forkloom/scenario.hpp"

#include "framework/dsl/scenario_engine.hpp"
#include "framework/execution/call.hpp"
#include "framework/execution/identity.hpp"
#include "framework/execution/stop.hpp"

namespace forkloom {
namespace {

void tell(operation op, std::string_view resource, const void* site) noexcept {
  if (!execution::controlled()) return;
  execution::controlled_call::silent(
      op, execution::resource_named(resource, resource_kind::logical), site)
      .completed(0);
}

}  // namespace

void process::request(std::string_view resource) {
  tell(operation::request, resource, __builtin_return_address(0));
}
void process::granted(std::string_view resource) {
  tell(operation::grant, resource, __builtin_return_address(0));
}
void process::give_back(std::string_view resource) {
  tell(operation::give_back, resource, __builtin_return_address(0));
}

process_group& process_group::may_exit(int code) {
  engine_.allow_exit(first_, count_, code);
  return *this;
}

process_group& process_group::may_die_of(int signal) {
  engine_.allow_signal(first_, count_, signal);
  return *this;
}

process_group scenario::add(std::string_view name, unsigned count, bool numbered,
                            const std::function<void(forkloom::process&)>& body) {
  const auto first = engine_.add(name, count, numbered, body);
  return {engine_, first, count};
}

void scenario::finally(const std::function<void()>& check) { engine_.finally(check); }

void* scenario::allocate(std::size_t size, std::size_t alignment, std::string_view name) {
  return engine_.allocate(size, alignment, name);
}

void scenario::destroy_later(std::function<void()> destructor) {
  engine_.destroy_later(std::move(destructor));
}

unsigned scenario::default_process_count() const { return engine_.default_process_count(); }

namespace detail {

void unmet(std::string_view values, source_place where) {
  execution::stop_execution(failure_record::what::expectation, where.file, where.line, values);
}

}  // namespace detail
}  // namespace forkloom
