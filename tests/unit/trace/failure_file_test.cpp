#include "framework/trace/failure_file.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "forkloom/error.hpp"
#include "tests/catch.hpp"
#include "tests/unit/trace/sample_trace.hpp"

namespace {

using namespace forkloom;

// A directory that goes away with the test.
class scratch {
 public:
  scratch() {
    auto name = (std::filesystem::temp_directory_path() / "forkloom-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~scratch() { std::filesystem::remove_all(path_); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;

  [[nodiscard]] std::filesystem::path file(const std::string& content) const {
    const auto path = path_ / "failure.json";
    std::ofstream(path) << content;
    return path;
  }
  [[nodiscard]] std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string refusal(const std::filesystem::path& path) {
  try {
    (void)load_failure(path);
  } catch (const usage_error& error) {
    return error.what();
  }
  return "accepted";
}

failure_file sample() {
  return {.token = "fl1-x",
          .scenario = "two tellers",
          .violations = {{.kind = violation_kind::leak, .message = "left"}},
          .what_happened = tests::sample_trace()};
}

}  // namespace

TEST_CASE("a failure file gives back what was saved", "[failure_file]") {
  const scratch directory;
  const auto path = directory.path() / "failure.json";
  save_failure(path, sample());
  const auto loaded = load_failure(path);
  CHECK(loaded.token == "fl1-x");
  CHECK(loaded.scenario == "two tellers");
  CHECK(loaded.violations == sample().violations);
  CHECK(loaded.what_happened.hash == sample().what_happened.hash);
  CHECK(loaded.what_happened.events.size() == 2);
}

TEST_CASE("captured bytes that are not UTF-8 do not keep a failure from being saved",
          "[failure_file]") {
  const scratch directory;
  const auto path = directory.path() / "failure.json";
  save_failure(path, sample());
  CHECK(load_failure(path).what_happened.tasks.at(0).output ==
        std::string("caf\xef\xbf\xbd \0\n", 9));
}

TEST_CASE("a failure file that does not exist is named with the reason", "[failure_file]") {
  CHECK(refusal("/nonexistent/failure.json") ==
        "cannot read /nonexistent/failure.json: No such file or directory");
}

TEST_CASE("a directory is no failure file", "[failure_file]") {
  const scratch directory;
  CHECK_THAT(refusal(directory.path()), Catch::EndsWith("it is a directory"));
}

TEST_CASE("other files are not taken for failure files", "[failure_file]") {
  const scratch directory;
  for (const auto* content :
       {"", "text", "[1, 2]", "{}", R"({"token": "fl1-x"})", "{\"forkloom_fail"}) {
    INFO(content);
    CHECK_THAT(refusal(directory.file(content)), Catch::Contains("is not a failure file"));
  }
}

TEST_CASE("a failure file of a newer format is refused by its version", "[failure_file]") {
  const scratch directory;
  CHECK_THAT(refusal(directory.file(R"({"forkloom_failure": 2})")),
             Catch::Contains("\"forkloom_failure\" is 2, but this forkloom reads 1"));
}

TEST_CASE("a failure file says which field is missing", "[failure_file]") {
  const scratch directory;
  const auto path = directory.file(R"({"forkloom_failure": 1, "token": "t", "scenario": "s",
                                       "violations": []})");
  CHECK(refusal(path) == path.string() + ": \"trace\" is missing");
}

TEST_CASE("a failure file that cannot be written is an internal error", "[failure_file]") {
  CHECK_THROWS_AS(save_failure("/nonexistent/failure.json", sample()), internal_error);
}
