#include "framework/catch2/bridge.hpp"

#include <utility>

// The only differences between the versions that matter here are who owns an invoker and the
// header.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#include <catch2/internal/catch_test_registry.hpp>
#define FORKLOOM_CATCH_OWNED(invoker) Catch::Detail::unique_ptr<Catch::ITestInvoker>(invoker)
#else
#include <catch2/catch.hpp>
#define FORKLOOM_CATCH_OWNED(invoker) (invoker)
#endif

namespace forkloom::catch2 {
namespace {

class invoker : public Catch::ITestInvoker {
 public:
  explicit invoker(std::function<void()> body) : body_(std::move(body)) {}
  void invoke() const override { body_(); }

 private:
  std::function<void()> body_;
};

Catch::SourceLineInfo line_of(source_place where) { return {where.file, where.line}; }

void assert_that(source_place where, Catch::ResultWas::OfType result, const std::string& message) {
  using namespace Catch::literals;
  Catch::AssertionHandler handler("FORKLOOM"_catch_sr, line_of(where), Catch::StringRef(),
                                  Catch::ResultDisposition::Normal);
  handler.handleMessage(result, std::string(message));
  handler.complete();
}

}  // namespace

void add_test_case(const scenario_info& scenario, std::function<void()> body) {
  std::string tags;
  for (const auto& tag : scenario.tags) tags += "[" + tag + "]";
  const Catch::NameAndTags names{scenario.name, tags};
  // Catch2 keeps the invoker until the program ends.
  const Catch::AutoReg registered(FORKLOOM_CATCH_OWNED(new invoker(std::move(body))),
                                  line_of({scenario.file.c_str(), scenario.line}),
                                  Catch::StringRef(), names);
}

void in_section(source_place where, const std::string& name, const std::function<void()>& body) {
  const Catch::Section section(Catch::SectionInfo(line_of(where), name));
  if (section) body();
}

void succeed(source_place where, const std::string& message) {
  assert_that(where, Catch::ResultWas::Ok, message);
}

void fail(source_place where, const std::string& message) {
  assert_that(where, Catch::ResultWas::ExplicitFailure, message);
}

std::string current_test_case() { return Catch::getResultCapture().getCurrentTestName(); }

}  // namespace forkloom::catch2
