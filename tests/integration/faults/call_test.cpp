// Faults of calls: errors that leave nothing done, waits that end early.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <set>
#include <utility>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "forkloom/ipc/condition.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "tests/integration/faults/campaign.hpp"

using namespace forkloom;
using namespace forkloom::faults_test;

namespace {

int error_of(long result) { return result < 0 ? errno : 0; }

struct one_error {
  int error = 0;
  int again = 0;
  long value = 0;
};

struct posted : one_error {
  sem_t semaphore;
  posted() { ::sem_init(&semaphore, 1, 0); }
};

}  // namespace

TEST_CASE("a wait that was interrupted has taken nothing", "[faults]") {
  harmless<posted>(with("eintr:1"),
                   {[](posted& w) {
                      w.error = error_of(::sem_wait(&w.semaphore));
                      if (w.error != 0) w.again = error_of(::sem_wait(&w.semaphore));
                    },
                    [](posted& w) { ::sem_post(&w.semaphore); }},
                   [](posted& w) {
                     int left = 0;
                     ::sem_getvalue(&w.semaphore, &left);
                     expect(that(left) == 0);
                     expect(that(w.error) == (faults_happened("eintr") == 1 ? EINTR : 0));
                     expect(that(w.again) == 0);
                   });
}

namespace {

struct locked {
  ipc::mutex lock;
  void use() {
    lock.lock();
    lock.unlock();
  }
};

}  // namespace

TEST_CASE("a mutex cannot be interrupted", "[faults]") {
  const auto use = [](locked& w) { w.use(); };
  const auto result = explored<locked>(with("eintr:1"), {use, use}, [](locked&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

namespace {

constexpr key_t key = 77;

}  // namespace

TEST_CASE("a queue that there was no room for has not been made", "[faults]") {
  harmless<one_error>(with("enospc:1"), {[](one_error& w) {
                        const int id = ::msgget(key, IPC_CREAT | 0600);
                        w.error = error_of(id);
                        w.again = error_of(::msgget(key, 0));
                        if (id >= 0) ::msgctl(id, IPC_RMID, nullptr);
                      }},
                      [](one_error& w) {
                        const bool failed = faults_happened("enospc") == 1;
                        expect(that(w.error) == (failed ? ENOSPC : 0));
                        expect(that(w.again) == (failed ? ENOENT : 0));
                      });
}

TEST_CASE("who only looks for a queue needs no room", "[faults]") {
  const auto result = explored<one_error>(
      with("enospc:1"), {[](one_error& w) { w.error = error_of(::msgget(key, 0)); }},
      [](one_error& w) { expect(that(w.error) == ENOENT); });
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("a descriptor that there was no number for leaves its number free", "[faults]") {
  harmless<one_error>(with("emfile:1"), {[](one_error& w) {
                        const int first = ::dup(STDIN_FILENO);
                        w.error = error_of(first);
                        const int second = ::dup(STDIN_FILENO);
                        w.value = second - first;
                        ::close(first);
                        ::close(second);
                      }},
                      [](one_error& w) {
                        if (faults_happened("emfile") == 0) expect(that(w.value) == 1);
                        expect(w.error == 0 || w.error == EMFILE);
                      });
}

TEST_CASE("a call that makes no step and is refused has its event, and another hash", "[faults]") {
  auto how = with("emfile:1");
  how.hashes = true;
  how.keep_going = true;
  const auto result = explored<one_error>(how, {[](one_error& w) {
                                            const int copy = ::dup(STDIN_FILENO);
                                            w.error = error_of(copy);
                                            ::close(copy);
                                          }},
                                          [](one_error& w) { expect(that(w.error) == 0); });
  REQUIRE(result.findings.size() == 1);
  const auto& events = result.findings[0].what_happened.events;
  CHECK(std::any_of(events.begin(), events.end(),
                    [](const event& e) { return e.op == operation::dup && e.error == EMFILE; }));
  CHECK(std::any_of(events.begin(), events.end(), [](const event& e) {
    return e.op == operation::fault && fault_of(e) == fault_kind::emfile &&
           operation(e.after) == operation::dup;
  }));
  std::set<std::pair<std::uint64_t, std::uint64_t>> kinds;
  for (const auto& one : result.hashes) kinds.emplace(one.steps, one.hash);
  CHECK(kinds.size() == 2);
}

TEST_CASE("a wait for a signal that cannot be interrupted is not", "[faults]") {
  auto how = with("eintr:1");
  how.checkers = {"expectation", "deadlock", "hang"};
  const auto result = explored<one_error>(how, {[](one_error& w) {
                                            sigset_t waited;
                                            ::sigemptyset(&waited);
                                            ::sigaddset(&waited, SIGUSR1);
                                            ::sigprocmask(SIG_BLOCK, &waited, nullptr);
                                            ::signal(SIGCHLD, SIG_IGN);
                                            if (::fork() == 0) {
                                              ::kill(::getppid(), SIGUSR1);
                                              ::_exit(0);
                                            }
                                            int got = 0;
                                            w.error = ::sigwait(&waited, &got);
                                          }},
                                          [](one_error& w) { expect(that(w.error) == 0); });
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("a mapping that there was no memory for fails with ENOMEM", "[faults]") {
  harmless<one_error>(
      with("enomem:1"), {[](one_error& w) {
        auto* page =
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        w.error = page == MAP_FAILED ? errno : 0;  // NOLINT: libc's macro
        if (w.error == 0) ::munmap(page, 4096);
      }},
      [](one_error& w) { expect(that(w.error) == (faults_happened("enomem") == 1 ? ENOMEM : 0)); });
}

TEST_CASE("a fork at the limit of processes makes no child", "[faults]") {
  harmless<one_error>(with("eagain:1"), {[](one_error& w) {
                        const auto child = ::fork();
                        if (child == 0) ::_exit(0);
                        w.error = error_of(child);
                        w.again = error_of(::waitpid(-1, nullptr, 0));
                      }},
                      [](one_error& w) {
                        const bool failed = faults_happened("eagain") == 1;
                        expect(that(w.error) == (failed ? EAGAIN : 0));
                        expect(that(w.again) == (failed ? ECHILD : 0));
                      });
}

TEST_CASE("a thread at the limit of threads is not there", "[faults]") {
  harmless<one_error>(
      with("eagain:1"), {[](one_error& w) {
        pthread_t thread{};
        const auto nothing = [](void*) -> void* { return nullptr; };
        w.error = ::pthread_create(&thread, nullptr, nothing, nullptr);
        if (w.error == 0) ::pthread_join(thread, nullptr);
      }},
      [](one_error& w) { expect(that(w.error) == (faults_happened("eagain") == 1 ? EAGAIN : 0)); });
}

namespace {

struct box {
  ipc::mutex lock;
  ipc::condition filled;
  bool full = false;
  bool held = true;
  int wakeups = 0;
  forkloom::shared<int> steps{0};
};

}  // namespace

TEST_CASE("a spurious wake-up of a condition variable returns with the mutex", "[faults]") {
  harmless<box>(with("wakeup:2"),
                {[](box& w) {
                   std::unique_lock guard(w.lock);
                   while (!w.full) {
                     w.filled.wait(guard);
                     w.held &= ::pthread_mutex_trylock(w.lock.native_handle()) == EBUSY;
                     ++w.wakeups;
                   }
                 },
                 [](box& w) {
                   const std::scoped_lock guard(w.lock);
                   w.full = true;
                   w.filled.notify_one();
                 }},
                [](box& w) {
                  expect(w.held);
                  expect(that(w.wakeups) <= 1 + static_cast<int>(faults_happened("wakeup")));
                });
}

TEST_CASE("who was woken and waits for the mutex is not woken for nothing", "[faults]") {
  harmless<box>(with("wakeup:2"),
                {[](box& w) {
                   std::unique_lock guard(w.lock);
                   while (!w.full) w.filled.wait(guard);
                 },
                 [](box& w) {
                   const std::scoped_lock guard(w.lock);
                   w.full = true;
                   w.filled.notify_one();
                   const auto before = faults_happened("wakeup");
                   for (int i = 0; i < 3; ++i) w.steps.fetch_add(1);
                   expect(that(faults_happened("wakeup")) == before);
                 }},
                [](box&) {});
}

namespace {

struct word : one_error {
  unsigned value = 0;
};

}  // namespace

TEST_CASE("a spurious wake-up of a futex says 0, and the word is as it was", "[faults]") {
  harmless<word>(with("wakeup:1"),
                 {[](word& w) {
                    const auto got = ::syscall(SYS_futex, &w.value, FUTEX_WAIT, 0, nullptr);
                    w.error = error_of(got);
                  },
                  [](word& w) {
                    w.value = 1;
                    ::syscall(SYS_futex, &w.value, FUTEX_WAKE, INT_MAX);
                  }},
                 [](word& w) { expect(w.error == 0 || w.error == EAGAIN); });
}

TEST_CASE("a call fails with errors of its own alone", "[faults]") {
  const auto every = with("eagain:1,enospc:1,emfile:1,enomem:1");
  CHECK_FALSE(comes_to<one_error>(every, {[](one_error& w) {
                                    const int id = ::msgget(key, IPC_CREAT | 0600);
                                    w.error = error_of(id);
                                    w.again = error_of(::msgget(key, 0));
                                    if (id >= 0) ::msgctl(id, IPC_RMID, nullptr);
                                  }},
                                  [](one_error& w) {
                                    expect(w.error == 0 || w.error == ENOSPC || w.error == ENOMEM);
                                    // Who only looks needs memory at most.
                                    expect(w.again == 0 || w.again == ENOENT || w.again == ENOMEM);
                                  }));
}

TEST_CASE("a spurious wake-up of a futex comes before its time", "[faults]") {
  harmless<word>(with("wakeup:1"), {[](word& w) {
                   timespec begin{};
                   timespec end{};
                   const timespec patience{.tv_sec = 3, .tv_nsec = 0};
                   ::clock_gettime(CLOCK_MONOTONIC, &begin);
                   w.error = error_of(::syscall(SYS_futex, &w.value, FUTEX_WAIT, 0, &patience));
                   ::clock_gettime(CLOCK_MONOTONIC, &end);
                   w.again = static_cast<int>(end.tv_sec - begin.tv_sec);
                 }},
                 [](word& w) {
                   const bool woken = faults_happened("wakeup") == 1;
                   expect(that(w.error) == (woken ? 0 : ETIMEDOUT));
                   expect(w.again < 3 || !woken);
                 });
}

TEST_CASE("a wait for a futex ends once, interrupted or woken for nothing", "[faults]") {
  harmless<word>(with("eintr:1,wakeup:1"), {[](word& w) {
                   const timespec patience{.tv_sec = 3, .tv_nsec = 0};
                   w.error = error_of(::syscall(SYS_futex, &w.value, FUTEX_WAIT, 0, &patience));
                 }},
                 [](word& w) {
                   const bool interrupted = faults_happened("eintr") == 1;
                   const bool woken = faults_happened("wakeup") == 1;
                   expect(!interrupted || !woken);
                   expect(that(w.error) == (interrupted ? EINTR : woken ? 0 : ETIMEDOUT));
                 });
}

TEST_CASE("who waits for a futex that passes priority on is woken by its owner alone", "[faults]") {
  const auto use = [](word& w) {
    expect(that(::syscall(SYS_futex, &w.value, FUTEX_LOCK_PI, 0, nullptr)) == 0);
    expect(that(::syscall(SYS_futex, &w.value, FUTEX_UNLOCK_PI)) == 0);
  };
  const auto result = explored<word>(with("wakeup:1"), {use, use}, [](word&) {});
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}

TEST_CASE("who waits for any of several futexes is not woken for nothing", "[faults]") {
  struct two_words {
    std::array<unsigned, 2> values{};
    long woken = -1;
  };
  const auto result = explored<two_words>(
      with("wakeup:1"),
      {[](two_words& w) {
         std::array<futex_waitv, 2> any{};
         for (std::size_t i = 0; i < any.size(); ++i) {
           any[i].uaddr = reinterpret_cast<std::uintptr_t>(&w.values[i]);
           any[i].flags = FUTEX_32;
         }
         w.woken = ::syscall(SYS_futex_waitv, any.data(), 2, 0, nullptr, 0);
       },
       [](two_words& w) {
         while (w.woken == -1 && ::syscall(SYS_futex, &w.values[1], FUTEX_WAKE, 1) == 0)
           ::sched_yield();
       }},
      [](two_words& w) { expect(that(w.woken) == 1); });
  CHECK(result.how == explore::verdict::as_expected);
  CHECK(result.faults.at(0).chances == 0);
}
