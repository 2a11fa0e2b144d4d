// All that Forkloom wants of rapidcheck's inner functions, which may change: rc::check and rc::prop
// print what they found, and give no name to a property, without which it cannot be reproduced.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace forkloom::detail {

struct property_outcome {
  bool held = false;
  std::string message;    // the smallest counter-example and why it fails; or how many cases held
  std::string reproduce;  // for RC_PARAMS: the failing case and the way to the smallest; or empty
};

// What RC_PARAMS says, unless it is said here.
struct property_effort {
  std::optional<std::uint64_t> seed{};
  std::optional<int> tries{};
};

class property {
 public:
  // The name is unique among the program's properties.
  template <class Testable>
  property(std::string name, Testable&& testable)
      : name_(std::move(name)), cases_(rc::detail::toProperty(std::forward<Testable>(testable))) {}

  // Tries random cases, and makes the first that fails as small as it gets. If RC_PARAMS has a case
  // to reproduce, that is the only one, and a property that it is not of holds.
  property_outcome hold(const property_effort& how = {}) {
    const auto& configured = rc::detail::configuration();
    auto params = configured.testParams;
    params.seed = how.seed.value_or(params.seed);
    params.maxSuccess = how.tries.value_or(params.maxSuccess);
    return check(params, configured.reproduce);
  }

  // The smallest counter-example of the last time once more; only after one was found.
  property_outcome reproduce() { return check({}, {{name_, *smallest_}}); }

 private:
  struct silent : rc::detail::TestListener {
    void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
    void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
    void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
  };

  using reproductions = decltype(rc::detail::Configuration::reproduce);

  property_outcome check(const rc::detail::TestParams& params, const reproductions& known) {
    silent listener;
    const auto result = rc::detail::checkProperty(cases_, {name_, name_}, params, listener, known);
    std::ostringstream message;
    rc::detail::printResultMessage(result, message);
    property_outcome outcome{result.is<rc::detail::SuccessResult>(), message.str(), {}};
    if (!result.is<rc::detail::FailureResult>()) return outcome;
    smallest_ = result.get<rc::detail::FailureResult>().reproduce;
    rc::detail::Configuration configuration;
    configuration.reproduce.emplace(name_, *smallest_);
    const auto settings = rc::detail::configToMinimalString(configuration);
    const auto at =
        settings.find("reproduce=");  // beside it stands a seed, which has no part in it
    outcome.reproduce = settings.substr(at, settings.find(' ', at) - at);
    return outcome;
  }

  std::string name_;
  rc::detail::Property cases_;
  std::optional<rc::detail::Reproduce> smallest_;
};

// Within a property: this case fails.
[[noreturn]] inline void fail_case(const std::string& why) {
  throw rc::detail::CaseResult(rc::detail::CaseResult::Type::Failure, why);
}

}  // namespace forkloom::detail
