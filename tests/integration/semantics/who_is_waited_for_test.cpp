// Who is named as the one that a blocked task waits for, in executions that really deadlock. (What
// the checker makes of it is tested without executions.)
#include <pthread.h>
#include <semaphore.h>

#include <string>

#include "forkloom/scenario.hpp"
#include "framework/explore/campaign.hpp"
#include "tests/catch.hpp"

namespace {

using forkloom::expect;
using forkloom::scenario;

struct objects {
  explicit objects(scenario& scenario, unsigned barrier_size = 2)
      : rwlock(scenario.make<pthread_rwlock_t>("book")),
        barrier(scenario.make<pthread_barrier_t>("meeting")),
        spin(scenario.make<pthread_spinlock_t>("meter")),
        ready(scenario.make<sem_t>("ready")),
        held(scenario.make<sem_t>("held")),
        read(scenario.make<sem_t>("read")) {
    pthread_rwlockattr_t ra;
    pthread_rwlockattr_init(&ra);
    pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED);
    pthread_rwlockattr_setkind_np(&ra, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&rwlock, &ra);
    pthread_barrierattr_t ba;
    pthread_barrierattr_init(&ba);
    pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&barrier, &ba, barrier_size);
    pthread_spin_init(&spin, PTHREAD_PROCESS_SHARED);
    sem_init(&ready, 1, 0);
    sem_init(&held, 1, 0);
    sem_init(&read, 1, 0);
  }

  pthread_rwlock_t& rwlock;
  pthread_barrier_t& barrier;
  pthread_spinlock_t& spin;
  sem_t& ready;
  sem_t& held;
  sem_t& read;
};

// What is found first.
std::string found_in(void (*body)(scenario&)) {
  forkloom::scenario_info info{.name = "waits",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body = body,
                               .defaults = {}};
  const auto result = forkloom::explore::run_campaign(info, info.defaults);
  CAPTURE(result.message);
  REQUIRE(result.findings.size() == 1);
  return result.findings[0].violations.at(0).message;
}

}  // namespace

TEST_CASE("a writer waits for those that read, not for those that have read") {
  CHECK(found_in([](scenario& scenario) {
          const objects o(scenario);
          scenario.process("gone", [&] {
            pthread_rwlock_rdlock(&o.rwlock);
            pthread_rwlock_unlock(&o.rwlock);
            sem_post(&o.ready);
            sem_wait(&o.held);
            pthread_spin_lock(&o.spin);
          });
          scenario.process("reader", [&] {
            sem_wait(&o.ready);
            pthread_rwlock_rdlock(&o.rwlock);
            sem_post(&o.read);
            pthread_barrier_wait(&o.barrier);
          });
          scenario.process("writer", [&] {
            pthread_spin_lock(&o.spin);
            sem_post(&o.held);
            sem_wait(&o.read);
            pthread_rwlock_wrlock(&o.rwlock);
          });
        }) ==
        "gone waits for meter held by writer, writer waits for book held by reader and "
        "reader waits for meeting that only gone and writer could release");
}

TEST_CASE("a writer waits for a reader that died inside, so for ever") {
  CHECK(found_in([](scenario& scenario) {
          const objects o(scenario);
          scenario.process("reader", [&] {
            pthread_rwlock_rdlock(&o.rwlock);
            sem_post(&o.ready);
          });
          scenario.process("writer", [&] {
            sem_wait(&o.ready);
            pthread_rwlock_wrlock(&o.rwlock);
          });
        }) ==
        "writer waits for book for ever, with nobody left to release it: reader died while it held "
        "it");
}

TEST_CASE("a reader waits for the writer inside, and for one that waits and comes first") {
  CHECK(found_in([](scenario& scenario) {
          const objects o(scenario);
          scenario.process("reader", [&] {
            pthread_rwlock_rdlock(&o.rwlock);
            sem_post(&o.ready);
            pthread_rwlock_rdlock(&o.rwlock);
            pthread_rwlock_unlock(&o.rwlock);
            pthread_rwlock_unlock(&o.rwlock);
          });
          scenario.process("writer", [&] {
            sem_wait(&o.ready);
            pthread_rwlock_wrlock(&o.rwlock);
            pthread_rwlock_unlock(&o.rwlock);
          });
        }) ==
        "reader waits for book that only writer could release and writer waits for book held by "
        "reader");
}

TEST_CASE("a lock that was taken before the tasks began may be given back by any of them") {
  CHECK_THAT(found_in([](scenario& scenario) {
               const objects o(scenario);
               pthread_rwlock_rdlock(&o.rwlock);
               pthread_spin_lock(&o.spin);
               scenario.process("writer", [&] { pthread_rwlock_wrlock(&o.rwlock); });
               scenario.process("spinner", [&] { pthread_spin_lock(&o.spin); });
               scenario.process("keeper", [&] {
                 for (int i = 0; i < 20; ++i) sem_post(&o.ready);
                 expect(false);
               });
             }),
             Catch::StartsWith("an expectation of keeper failed"));
}

TEST_CASE("tasks at a barrier do not wait for each other") {
  CHECK(found_in([](scenario& scenario) {
          const objects o(scenario, 3);
          for (const auto* name : {"one", "other"})
            scenario.process(name, [&] { pthread_barrier_wait(&o.barrier); });
        }) ==
        "one waits for meeting for ever, with nobody left to release it: "
        "fewer tasks come than the barrier is for");
}

TEST_CASE("a task at a barrier waits for those that have not come to it") {
  CHECK(found_in([](scenario& scenario) {
          const objects o(scenario);
          scenario.process("early", [&] {
            pthread_spin_lock(&o.spin);
            sem_post(&o.ready);
            pthread_barrier_wait(&o.barrier);
          });
          scenario.process("late", [&] {
            sem_wait(&o.ready);
            pthread_spin_lock(&o.spin);
            pthread_barrier_wait(&o.barrier);
          });
        }) ==
        "early waits for meeting that only late could release and late waits for meter held by "
        "early");
}

TEST_CASE("whoever takes a spin lock twice waits for itself") {
  CHECK(found_in([](scenario& scenario) {
          const objects o(scenario);
          scenario.process("spinner", [&] {
            pthread_spin_lock(&o.spin);
            pthread_spin_lock(&o.spin);
          });
        }) == "spinner waits for meter held by itself");
}
