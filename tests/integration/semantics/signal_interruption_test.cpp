// Which calls a handler interrupts, and which go on with SA_RESTART: signal(7).
#include <poll.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "tests/integration/semantics/interruptions.hpp"

namespace {

using namespace forkloom::semantics;

const std::array attempts{
    attempt{"read of a pipe", true,
            [](places& w) -> long {
              char c = 0;
              return read(w.empty[0], &c, 1) == 1 ? 0 : -1;
            },
            [](places& w) { [[maybe_unused]] const auto put = write(w.empty[1], "x", 1); }},
    attempt{"write to a full pipe", true,
            [](places& w) -> long { return write(w.full[1], "x", 1) == 1 ? 0 : -1; },
            [](places& w) {
              std::array<char, 4096> bytes;
              [[maybe_unused]] const auto got = read(w.full[0], bytes.data(), bytes.size());
            }},
    attempt{"recv", true,
            [](places& w) -> long {
              char c = 0;
              return recv(w.ends[0], &c, 1, 0) == 1 ? 0 : -1;
            },
            [](places& w) { send(w.ends[1], "x", 1, 0); }},
    attempt{"recv with a time-out", false,
            [](places& w) -> long {
              const timeval long_time{.tv_sec = 10, .tv_usec = 0};
              setsockopt(w.ends[0], SOL_SOCKET, SO_RCVTIMEO, &long_time, sizeof long_time);
              w.next_call_waits();
              char c = 0;
              return recv(w.ends[0], &c, 1, 0) == 1 ? 0 : -1;
            },
            [](places&) {}, [](places&) {}, true},
    attempt{"accept", true,
            [](places& w) -> long {
              const int fd = accept(w.listener, nullptr, nullptr);
              return fd >= 0 ? close(fd) : -1;
            },
            [](places& w) { w.connect_to_listener(); }},
    attempt{"sem_wait", true, [](places& w) -> long { return sem_wait(&w.closed); },
            [](places& w) { sem_post(&w.closed); }},
    attempt{"sem_timedwait", false,
            [](places& w) -> long {
              const auto until = ten_seconds_from_now();
              w.next_call_waits();
              return sem_timedwait(&w.closed, &until);
            },
            [](places&) {}, [](places&) {}, true},
    attempt{"mq_receive", true,
            [](places& w) -> long {
              std::array<char, 8> text{};
              return mq_receive(w.queue, text.data(), text.size(), nullptr) >= 0 ? 0 : -1;
            },
            [](places& w) { mq_send(w.queue, "x", 1, 0); }},
    attempt{"mq_timedsend", true,
            [](places& w) -> long {
              mq_send(w.queue, "x", 1, 0);
              const auto until = ten_seconds_from_now();
              w.next_call_waits();
              return mq_timedsend(w.queue, "y", 1, 0, &until);
            },
            [](places& w) {
              std::array<char, 8> text{};
              mq_receive(w.queue, text.data(), text.size(), nullptr);
            },
            [](places&) {}, true},
    attempt{"msgrcv", false,
            [](places& w) -> long {
              message m;
              return msgrcv(w.messages, &m, 1, 0, 0) >= 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"semop", false,
            [](places& w) -> long {
              sembuf take{0, -1, 0};
              return semop(w.set, &take, 1);
            },
            [](places&) {}},
    attempt{"semtimedop", false,
            [](places& w) -> long {
              sembuf take{0, -1, 0};
              return semtimedop(w.set, &take, 1, &in_ten_seconds);
            },
            [](places&) {}},
    attempt{"flock", true, [](places& w) -> long { return flock(w.reopened(), LOCK_EX); },
            [](places& w) { flock(w.file, LOCK_UN); }, [](places& w) { flock(w.file, LOCK_EX); }},
    attempt{"a wait for a record lock", true,
            [](places& w) -> long {
              struct flock all {};
              all.l_type = F_WRLCK;
              return fcntl(w.file, F_SETLKW, &all);
            },
            [](places& w) {
              struct flock all {};
              all.l_type = F_UNLCK;
              fcntl(w.file, F_SETLK, &all);
            },
            [](places& w) {
              struct flock all {};
              all.l_type = F_WRLCK;
              fcntl(w.file, F_SETLK, &all);
            }},
    attempt{"open of a FIFO for reading", true,
            [](places& w) -> long {
              const int fd = open(w.fifo.data(), O_RDONLY);
              return fd >= 0 ? close(fd) : -1;
            },
            [](places& w) { close(open(w.fifo.data(), O_WRONLY)); }},
    attempt{"open of a FIFO for writing", true,
            [](places& w) -> long {
              const int fd = open(w.fifo.data(), O_WRONLY);
              return fd >= 0 ? close(fd) : -1;
            },
            [](places& w) { close(open(w.fifo.data(), O_RDONLY)); }},
    attempt{"poll", false,
            [](places& w) -> long {
              pollfd one{w.empty[0], POLLIN, 0};
              return poll(&one, 1, -1) >= 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"nanosleep", false, [](places&) -> long { return nanosleep(&in_ten_seconds, nullptr); },
            [](places&) {}},
    attempt{"usleep", false, [](places&) -> long { return usleep(5'000'000); }, [](places&) {}},
    attempt{"clock_nanosleep", false,
            [](places&) -> long {
              errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &in_ten_seconds, nullptr);
              return errno == 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"sigtimedwait", false,
            [](places&) -> long {
              const auto other = forkloom::semantics::set_of({SIGUSR2});
              return sigtimedwait(&other, nullptr, &in_ten_seconds) > 0 ? 0 : -1;
            },
            [](places&) {}},
    attempt{"waitpid", true,
            [](places& w) -> long {
              const auto child = fork();
              if (child == 0) {
                while (!w.released) usleep(1000);
                _exit(0);
              }
              w.next_call_waits();
              const auto result = waitpid(child, nullptr, 0);
              const auto error = errno;
              w.released = true;
              if (result < 0) waitpid(child, nullptr, 0);
              errno = error;
              return result == child ? 0 : -1;
            },
            [](places& w) { w.released = true; }, [](places&) {}, true},
};

}  // namespace

TEST_CASE("a handler without SA_RESTART interrupts every call that waits") {
  require_interrupted(attempts);
}

TEST_CASE("a handler with SA_RESTART interrupts only calls that signal(7) says it does") {
  require_restarted(attempts);
}
