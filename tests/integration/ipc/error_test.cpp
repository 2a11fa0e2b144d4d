// What the handles say when they are used wrongly: what was done, to what, and the system's reason.
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <system_error>

#include "forkloom/forkloom.hpp"
#include "tests/catch.hpp"
#include "tests/integration/ipc/unique_name.hpp"

namespace {

using namespace forkloom::ipc;
using forkloom::tests::unique_name;
using mutex = forkloom::ipc::mutex;

struct complaint {
  int code = 0;
  std::string text;
};

// What `act` throws; code 0 if it throws nothing.
template <class Act>
complaint complaint_of(Act act) {
  try {
    act();
  } catch (const std::system_error& error) {
    return {error.code().value(), error.what()};
  }
  return {};
}

// No descriptor is to be had while one lives.
class no_descriptors {
 public:
  no_descriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{0, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~no_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;

 private:
  rlimit before_{};
};

// A robust mutex in shared memory whose owner has died.
class inheritance {
 public:
  inheritance() {
    void* place =
        ::mmap(nullptr, sizeof(mutex), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(place != MAP_FAILED);
    mutex_ = new (place) mutex(mutex::kind::normal, mutex::robustness::robust);
    const auto owner = fork();
    if (owner == 0) {
      mutex_->lock();
      _exit(0);
    }
    waitpid(owner, nullptr, 0);
  }
  ~inheritance() {
    mutex_->~mutex();
    ::munmap(mutex_, sizeof(mutex));
  }
  inheritance(const inheritance&) = delete;
  inheritance& operator=(const inheritance&) = delete;
  mutex* operator->() const { return mutex_; }

 private:
  mutex* mutex_;
};

}  // namespace

TEST_CASE("an errorcheck mutex refuses a second lock and a foreign unlock") {
  mutex m(mutex::kind::errorcheck);
  const auto foreign = complaint_of([&] { m.unlock(); });
  CHECK(foreign.code == EPERM);
  CHECK(foreign.text == "unlocking a mutex: Operation not permitted");
  m.lock();
  const auto second = complaint_of([&] { m.lock(); });
  CHECK(second.code == EDEADLK);
  CHECK(second.text == "locking a mutex: Resource deadlock avoided");
  m.unlock();
}

TEST_CASE("a mutex with nothing to mend says so") {
  mutex m(mutex::kind::normal, mutex::robustness::robust);
  const auto said = complaint_of([&] { m.consistent(); });
  CHECK(said.code == EINVAL);
  CHECK(said.text == "mending a mutex: Invalid argument");
}

TEST_CASE("the next owner of a robust mutex is told, and mends it") {
  const inheritance m;
  CHECK(m->lock() == mutex::acquired::owner_died);
  m->consistent();
  m->unlock();
  CHECK(m->lock() == mutex::acquired::clean);
  m->unlock();
}

TEST_CASE("a robust mutex that was not mended cannot be had again") {
  const inheritance m;
  CHECK(m->lock() == mutex::acquired::owner_died);
  m->unlock();
  CHECK(complaint_of([&] { m->lock(); }).code == ENOTRECOVERABLE);
}

TEST_CASE("try_lock tells of a dead owner by throwing, and has the mutex") {
  const inheritance m;
  const auto said = complaint_of([&] { static_cast<void>(m->try_lock()); });
  CHECK(said.code == EOWNERDEAD);
  CHECK(said.text == "trying to lock a mutex: Owner died");
  m->consistent();
  m->unlock();
}

TEST_CASE("a semaphore refuses more than it can count") {
  const auto made = complaint_of([] { const semaphore s(unsigned{SEM_VALUE_MAX} + 1); });
  CHECK(made.code == EINVAL);
  CHECK(made.text == "making a semaphore: Invalid argument");
  semaphore full(SEM_VALUE_MAX);
  const auto posted = complaint_of([&] { full.release(); });
  CHECK(posted.code == EOVERFLOW);
  CHECK(posted.text == "posting a semaphore: Value too large for defined data type");
}

TEST_CASE("a named semaphore that is not there is told with its name") {
  const auto name = "/" + unique_name();
  const auto opened = complaint_of([&] { (void)named_semaphore::open(name); });
  CHECK(opened.code == ENOENT);
  CHECK(opened.text == "opening the semaphore " + name + ": No such file or directory");
  const auto unlinked = complaint_of([&] { named_semaphore::unlink(name); });
  CHECK(unlinked.code == ENOENT);
  CHECK(unlinked.text == "unlinking the semaphore " + name + ": No such file or directory");
}

TEST_CASE("a named semaphore is not made twice, nor with a name that cannot be") {
  const auto name = "/" + unique_name();
  const auto first = named_semaphore::create(name, 1);
  const auto second = complaint_of([&] { (void)named_semaphore::create(name, 1); });
  named_semaphore::unlink(name);
  CHECK(second.code == EEXIST);
  CHECK(second.text == "opening the semaphore " + name + ": File exists");
  CHECK(complaint_of([] { (void)named_semaphore::create("/a/b", 1); }).code == EINVAL);
}

TEST_CASE("a named semaphore refuses to be posted beyond what it can count") {
  const auto name = "/" + unique_name();
  auto full = named_semaphore::create(name, SEM_VALUE_MAX);
  named_semaphore::unlink(name);
  const auto posted = complaint_of([&] { full.release(); });
  CHECK(posted.code == EOVERFLOW);
  CHECK_THAT(posted.text, Catch::StartsWith("posting the semaphore " + name + ": "));
}

TEST_CASE("a message queue that is not there is told with its name") {
  const auto name = "/" + unique_name();
  const auto opened = complaint_of([&] { (void)message_queue::open(name); });
  CHECK(opened.code == ENOENT);
  CHECK(opened.text == "opening the message queue " + name + ": No such file or directory");
  const auto unlinked = complaint_of([&] { message_queue::unlink(name); });
  CHECK(unlinked.code == ENOENT);
  CHECK(unlinked.text == "unlinking the message queue " + name + ": No such file or directory");
}

TEST_CASE("a message queue is not made twice, nor with a name or limits that cannot be") {
  const auto name = "/" + unique_name();
  const auto first = message_queue::create(name);
  const auto second = complaint_of([&] { (void)message_queue::create(name); });
  message_queue::unlink(name);
  CHECK(second.code == EEXIST);
  CHECK(second.text == "opening the message queue " + name + ": File exists");
  CHECK(complaint_of([] { (void)message_queue::create("no-slash"); }).code == EINVAL);
  CHECK(complaint_of([&] { (void)message_queue::create(name, {.messages_max = 0}); }).code ==
        EINVAL);
}

TEST_CASE("a message queue refuses what it was not opened for, and what is too long") {
  const auto name = "/" + unique_name();
  const auto made = message_queue::create(name, {.message_bytes_max = 4});
  auto in = message_queue::open(name, message_queue::access::receive);
  auto out = message_queue::open(name, message_queue::access::send);
  message_queue::unlink(name);
  const auto sent = complaint_of([&] { in.send("x"); });
  CHECK(sent.code == EBADF);
  CHECK(sent.text == "sending to the message queue " + name + ": Bad file descriptor");
  const auto received = complaint_of([&] { (void)out.receive(); });
  CHECK(received.code == EBADF);
  CHECK(received.text == "receiving from the message queue " + name + ": Bad file descriptor");
  message_queue::message none;
  CHECK(complaint_of([&] { (void)out.try_receive(none); }).code == EBADF);
  CHECK(complaint_of([&] { out.send("bread"); }).code == EMSGSIZE);
  CHECK(complaint_of([&] { (void)out.try_send("bread"); }).code == EMSGSIZE);
}

TEST_CASE("a FIFO that cannot be made or opened is told with its path") {
  const auto made = complaint_of([] { const fifo f("/nonexistent/orders"); });
  CHECK(made.code == ENOENT);
  CHECK(made.text == "making the FIFO /nonexistent/orders: No such file or directory");
  const auto path = "/tmp/" + unique_name();
  const fifo gone(path);
  unlink(path.c_str());
  const auto opened = complaint_of([&] { (void)gone.open_reader(); });
  CHECK(opened.code == ENOENT);
  CHECK(opened.text == "opening the FIFO " + path + ": No such file or directory");
}

TEST_CASE("a pipe cannot be made without descriptors") {
  const auto made = complaint_of([] {
    const no_descriptors none;
    const forkloom::ipc::pipe p;
  });
  CHECK(made.code == EMFILE);
  CHECK(made.text == "making a pipe: Too many open files");
}

TEST_CASE("an end that is closed can neither be read nor written") {
  stream_end closed;
  char byte = 0;
  const auto read = complaint_of([&] { (void)closed.read({&byte, 1}); });
  CHECK(read.code == EBADF);
  CHECK(read.text == "reading from a pipe: Bad file descriptor");
  CHECK(complaint_of([&] { (void)closed.read_exactly(1); }).code == EBADF);
  const auto written = complaint_of([&] { closed.write_all("x"); });
  CHECK(written.code == EBADF);
  CHECK(written.text == "writing to a pipe: Bad file descriptor");
}

TEST_CASE("a writer without a reader learns it, if SIGPIPE does not kill it") {
  const auto before = signal(SIGPIPE, SIG_IGN);
  forkloom::ipc::pipe p;
  const auto written = complaint_of([&] { p.writer().write_all("bread"); });
  signal(SIGPIPE, before);
  CHECK(written.code == EPIPE);
  CHECK(written.text == "writing to a pipe: Broken pipe");
}
