// A run that is told to stop, or killed outright, leaves nothing behind.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "tests/acceptance/command_run.hpp"
#include "tests/acceptance/nothing_left.hpp"
#include "tests/catch.hpp"

namespace {

using forkloom::tests::command;
using forkloom::tests::ipc_objects;
using forkloom::tests::orphanage;

// A long campaign that is certainly in the middle of its work.
class running_campaign {
 public:
  explicit running_campaign(std::vector<std::string> options = {})
      : fifo_(made_fifo(directory_)),
        reader_(open(fifo_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    options.insert(options.begin(), {"run", "a long campaign"});
    command_.emplace(FORKLOOM_FIXTURES, options,
                     std::vector<std::string>{"FORKLOOM_FIXTURE_FIFO=" + fifo_});
    pollfd readable{.fd = reader_, .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, -1) < 0 && errno == EINTR) {
    }
  }
  ~running_campaign() { close(reader_); }
  running_campaign(const running_campaign&) = delete;
  running_campaign& operator=(const running_campaign&) = delete;

  auto stopped_by(int signal) {
    kill(command_->pid(), signal);
    return command_->wait();
  }

 private:
  static std::string made_fifo(const forkloom::tests::scratch_directory& directory) {
    auto path = (directory.path() / "began").string();
    REQUIRE(mkfifo(path.c_str(), 0600) == 0);
    return path;
  }

  forkloom::tests::scratch_directory directory_;
  std::string fifo_;
  int reader_;
  std::optional<command> command_;
};

}  // namespace

TEST_CASE("a run that is stopped prints what it has and exits with 128 + the signal",
          "[acceptance]") {
  const int signal = GENERATE(SIGINT, SIGTERM);
  const auto before = ipc_objects();
  const orphanage orphans;
  running_campaign campaign({"--json"});
  const auto done = campaign.stopped_by(signal);
  CHECK(done.code == 128 + signal);
  const auto scenarios = nlohmann::json::parse(done.out).at("scenarios");
  CHECK(scenarios.at(0).at("name") == "a long campaign");
  orphanage::wait_for_all();
  CHECK(ipc_objects() == before);
}

TEST_CASE("a run that is killed leaves no process and no object", "[acceptance]") {
  const auto before = ipc_objects();
  const orphanage orphans;
  running_campaign campaign;
  CHECK(campaign.stopped_by(SIGKILL).code == 128 + SIGKILL);
  orphanage::wait_for_all();
  CHECK(ipc_objects() == before);
}

TEST_CASE("a stopped run does not go on with the next scenario", "[acceptance]") {
  running_campaign campaign({"a body that throws", "--json"});
  const auto done = campaign.stopped_by(SIGINT);
  CHECK(done.out.find("\"deposits in turn\"") == std::string::npos);
}
