#include "framework/trace/fault_plan.hpp"

#include <cerrno>
#include <set>
#include <string>

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace forkloom;
using Catch::Contains;

std::string refusal(const std::string& text) {
  try {
    static_cast<void>(parse_faults(text));
  } catch (const usage_error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("faults are read with their numbers, one where none is given", "[faults]") {
  const auto plan = parse_faults("eintr:2,kill");
  CHECK(plan.most[index(fault_kind::kill)] == 1);
  CHECK(plan.most[index(fault_kind::eintr)] == 2);
  CHECK(plan.most[index(fault_kind::partial)] == 0);
  CHECK(to_string(plan) == "kill:1,eintr:2");
  CHECK(parse_faults("").empty());
  CHECK(to_string(fault_plan{}).empty());
}

TEST_CASE("a fault that there is not is refused with those that there are", "[faults]") {
  CHECK_THAT(refusal("luck:1"), Contains("\"luck\"") && Contains("none of that name") &&
                                    Contains("kill, stop, eintr, partial, eagain, enospc, "
                                             "emfile, enomem, full, wakeup, timeout"));
  CHECK_THAT(refusal("kill:1,"), Contains("none of that name"));
  CHECK_THAT(refusal("kill:1,kill:2"), Contains("named twice"));
}

TEST_CASE("a fault that may never happen, or too often, is refused", "[faults]") {
  for (const auto* text : {"kill:0", "kill:101", "kill:", "kill:-1", "kill:1x", "kill:1:1"}) {
    INFO(text);
    CHECK_THAT(refusal(text), Contains("whole one from 1 to 100"));
  }
  CHECK(refusal("kill:100") == "accepted");
}

TEST_CASE("policies of time-outs are read by their names", "[faults]") {
  for (const auto policy : {timeout_policy::idle, timeout_policy::race, timeout_policy::never})
    CHECK(parse_timeouts(name(policy)) == policy);
  CHECK_THROWS_AS(parse_timeouts("sometimes"), usage_error);
}

TEST_CASE("every fault has a name of its own, a place and an explanation", "[faults]") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < fault_kind_count; ++i) {
    const auto& d = description(fault_kind(i));
    names.insert(d.name);
    CHECK_FALSE(d.where.empty());
    CHECK_FALSE(d.what_it_is.empty());
  }
  CHECK(names.size() == fault_kind_count);
}

TEST_CASE("the table has the errors of the manual, and no others", "[faults]") {
  CHECK(contains(faults_of(operation::sem_wait), fault_kind::eintr));
  CHECK(faults_of(operation::mutex_lock) == 0);
  CHECK(faults_of(operation::cond_wait) == 0);
  CHECK(contains(faults_of(operation::fork), fault_kind::eagain));
  CHECK_FALSE(contains(faults_of(operation::fork), fault_kind::eintr));
  CHECK(contains(faults_of(operation::accept), fault_kind::emfile));
  CHECK(contains(faults_of(operation::msgget), fault_kind::enospc));
  CHECK_FALSE(contains(faults_of(operation::msgget), fault_kind::emfile));
  CHECK(error_of(fault_kind::enospc) == ENOSPC);
  CHECK(error_of(fault_kind::kill) == 0);
}
