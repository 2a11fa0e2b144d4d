#include "framework/report/display.hpp"

#include <cstdlib>
#include <optional>

#include "tests/catch.hpp"

using namespace forkloom;

namespace {

// An environment variable for one test.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    if (value == nullptr)
      unsetenv(name);
    else
      setenv(name, value, 1);
  }
  ~variable() {
    if (before_)
      setenv(name_, before_->c_str(), 1);
    else
      unsetenv(name_);
  }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace

TEST_CASE("width counts code points, not bytes", "[report]") {
  CHECK(report::width("") == 0);
  CHECK(report::width("abc") == 3);
  CHECK(report::width("→ é") == 3);
}

TEST_CASE("text is padded or cut to exactly the width", "[report]") {
  CHECK(report::fit("ab", 4) == "ab  ");
  CHECK(report::fit("abcd", 4) == "abcd");
  CHECK(report::fit("abcde", 4) == "abc…");
  CHECK(report::fit("éééé", 3) == "éé…");
  CHECK(report::fit("abc", 0).empty());
}

TEST_CASE("control characters are spelled out, text is not", "[report]") {
  CHECK(report::harmless("a\tb\nc é") == "a\tb\nc é");
  CHECK(report::harmless(std::string("\x1b[0m\r\0\x7f", 7)) == "\\x1b[0m\\x0d\\x00\\x7f");
}

TEST_CASE("COLUMNS sets the width, within reason", "[report]") {
  const auto [value, columns] = GENERATE(table<const char*, std::size_t>(
      {{nullptr, 120}, {"90", 90}, {"7", 40}, {"99999", 1'000}, {"wide", 120}, {"", 120}}));
  const variable set("COLUMNS", value);
  CHECK(report::style_for(-1).columns == columns);
}

TEST_CASE("what is no terminal gets no colour", "[report]") {
  CHECK_FALSE(report::style_for(-1).colour);
  CHECK(report::tinted("x", report::tint::red, {}) == "x");
  CHECK(report::tinted("x", report::tint::red, {.colour = true}) == "\x1b[31mx\x1b[0m");
}
