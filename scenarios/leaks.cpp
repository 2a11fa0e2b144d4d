// What processes leave behind when they end: names, descriptors, children.
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forkloom/forkloom.hpp"

using namespace forkloom;

namespace {

void make_segment() {
  const int fd = ::shm_open("/ledger", O_CREAT | O_EXCL | O_RDWR, 0600);
  expect(fd >= 0);
  expect(that(::ftruncate(fd, 4096)) == 0);
  ::close(fd);
}

void make_semaphore() {
  sem_t* gate = ::sem_open("/gate", O_CREAT | O_EXCL, 0600, 1);
  expect(gate != SEM_FAILED);
  ::sem_close(gate);
}

void make_queue() {
  const mqd_t orders = ::mq_open("/orders", O_CREAT | O_EXCL | O_WRONLY, 0600, nullptr);
  expect(orders >= 0);
  expect(that(::mq_send(orders, "bread", 5, 0)) == 0);
  ::mq_close(orders);
}

}  // namespace

FORKLOOM_SCENARIO("a forgotten shared memory object", "[leak][shm][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("bookkeeper", [] { make_segment(); });
}

FORKLOOM_SCENARIO("a shared memory object that is unlinked", "[leak][shm][correct]") {
  scenario.process("bookkeeper", [] {
    make_segment();
    ::shm_unlink("/ledger");
  });
}

FORKLOOM_SCENARIO("a forgotten named semaphore", "[leak][semaphore][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("porter", [] { make_semaphore(); });
}

FORKLOOM_SCENARIO("a named semaphore that is unlinked", "[leak][semaphore][correct]") {
  scenario.process("porter", [] {
    make_semaphore();
    ::sem_unlink("/gate");
  });
}

FORKLOOM_SCENARIO("a forgotten message queue", "[leak][message_queue][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("customer", [] { make_queue(); });
}

FORKLOOM_SCENARIO("a message queue that is unlinked", "[leak][message_queue][correct]") {
  scenario.process("customer", [] {
    make_queue();
    ::mq_unlink("/orders");
  });
}

FORKLOOM_SCENARIO("a forgotten descriptor", "[leak][descriptor][broken]",
                  .expects = {violation_kind::leak}) {
  scenario.process("plumber", [] {
    int ends[2];
    expect(that(::pipe(ends)) == 0);
    ::close(ends[0]);
  });
}

FORKLOOM_SCENARIO("descriptors that are closed", "[leak][descriptor][correct]") {
  scenario.process("plumber", [] {
    int ends[2];
    expect(that(::pipe(ends)) == 0);
    ::close(ends[0]);
    ::close(ends[1]);
  });
}

FORKLOOM_SCENARIO("a forgotten child", "[leak][child][broken]", .expects = {violation_kind::leak}) {
  auto& visits = scenario.shared<int>("visits");
  scenario.process("parent", [&] {
    if (::fork() == 0) ::_exit(0);
    // The child may end now or later; nobody waits for it.
    for (int i = 0; i < 3; ++i) ++visits;
  });
}

FORKLOOM_SCENARIO("a child that is waited for", "[leak][child][correct]") {
  auto& visits = scenario.shared<int>("visits");
  scenario.process("parent", [&] {
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    for (int i = 0; i < 3; ++i) ++visits;
    expect(that(::waitpid(child, nullptr, 0)) == child);
  });
}
