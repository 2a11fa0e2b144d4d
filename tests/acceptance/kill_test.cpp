// Each of Forkloom's own processes killed in mid-run, with four generations of a scenario's alive.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>

#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using Catch::Contains;
using forkloom::tests::command;
using forkloom::tests::nothing_left;

// proc(5), children: the pids in one line.
pid_t only_child_of(pid_t parent) {
  const auto number = std::to_string(parent);
  std::ifstream in("/proc/" + number + "/task/" + number + "/children");
  pid_t child = -1;
  in >> child;
  REQUIRE(child > 0);
  return child;
}

// A campaign whose processes are all alive and will not end of their own accord.
class standing_campaign {
 public:
  // how: for `confine`, see fixtures/confine.cpp
  standing_campaign(std::vector<std::string> how, const std::string& scenario)
      : fifo_((directory_.path() / "told").string()) {
    REQUIRE(mkfifo(fifo_.c_str(), 0600) == 0);
    reader_ = open(fifo_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    how.insert(how.end(), {"--", FORKLOOM_FIXTURES, "run", scenario, "--json"});
    command_.emplace(FORKLOOM_CONFINE, how,
                     std::vector<std::string>{"FORKLOOM_FIXTURE_FIFO=" + fifo_});
    pollfd readable{.fd = reader_, .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, -1) < 0 && errno == EINTR) {
    }
  }
  ~standing_campaign() { close(reader_); }
  standing_campaign(const standing_campaign&) = delete;
  standing_campaign& operator=(const standing_campaign&) = delete;

  [[nodiscard]] pid_t caller() const { return command_->pid(); }
  [[nodiscard]] pid_t guardian() const { return only_child_of(caller()); }
  [[nodiscard]] pid_t worker() const { return only_child_of(guardian()); }

  auto after(pid_t victim, int signal) {
    kill(victim, signal);
    return command_->wait();
  }

 private:
  forkloom::tests::scratch_directory directory_;
  std::string fifo_;
  int reader_ = -1;
  std::optional<command> command_;
};

std::vector<std::string> any_isolation() {
  return GENERATE(values<std::vector<std::string>>({{}, {"no-namespaces"}}));
}

constexpr auto generations = "four generations that stay";

}  // namespace

TEST_CASE("a command that is killed takes all its processes with it", "[acceptance]") {
  const nothing_left nothing;
  standing_campaign campaign(any_isolation(), generations);
  CHECK(campaign.after(campaign.caller(), SIGKILL).code == 128 + SIGKILL);
  CHECK(nothing.holds_in_the_end());
}

TEST_CASE("a guardian that is killed ends the run as an error, and every process", "[acceptance]") {
  const nothing_left nothing;
  standing_campaign campaign(any_isolation(), generations);
  const auto done = campaign.after(campaign.guardian(), SIGKILL);
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("guardian process was killed by signal 9"));
  CHECK(nothing.holds_in_the_end());
}

TEST_CASE("a worker that is killed ends the run as an error, and every process", "[acceptance]") {
  const nothing_left nothing;
  standing_campaign campaign(any_isolation(), generations);
  const auto done = campaign.after(campaign.worker(), SIGKILL);
  CHECK(done.code == 3);
  CHECK_THAT(done.out, Contains("worker was killed by signal 9"));
  CHECK(nothing.holds());
}

TEST_CASE("a run that is told to stop sees all its processes end", "[acceptance]") {
  const nothing_left nothing;
  const int signal = GENERATE(SIGINT, SIGTERM);
  standing_campaign campaign(any_isolation(), generations);
  const auto done = campaign.after(campaign.caller(), signal);
  CHECK(done.code == 128 + signal);
  CHECK_THAT(done.out, Contains(generations));
  CHECK(nothing.holds());
}

TEST_CASE("a scenario's body that does not stop is killed in the end", "[acceptance]") {
  const nothing_left nothing;
  standing_campaign campaign(any_isolation(), "a body that never ends");
  const auto done = campaign.after(campaign.caller(), SIGINT);
  CHECK(done.code == 128 + SIGINT);
  CHECK_THAT(done.out, Contains("is there a loop in the scenario's body or in finally?"));
  CHECK(nothing.holds());
}
