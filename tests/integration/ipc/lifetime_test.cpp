// What the handles own, give away and give back. Outside of an execution: they are plain owners.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include "forkloom/forkloom.hpp"
#include "tests/catch.hpp"
#include "tests/integration/ipc/unique_name.hpp"

namespace {

using namespace forkloom::ipc;
using forkloom::tests::unique_name;

// Others may point into these, or they hold what only one process may destroy.
template <class Handle>
constexpr bool stays_in_place =
    !std::is_copy_constructible_v<Handle> && !std::is_move_constructible_v<Handle> &&
    !std::is_copy_assignable_v<Handle> && !std::is_move_assignable_v<Handle>;

static_assert(stays_in_place<forkloom::ipc::mutex> && stays_in_place<condition> &&
              stays_in_place<semaphore> && stays_in_place<named_semaphore> &&
              stays_in_place<fifo> && stays_in_place<message_queue>);
static_assert(!std::is_copy_constructible_v<stream_end> && !std::is_copy_assignable_v<stream_end>);
static_assert(std::is_nothrow_move_constructible_v<stream_end> &&
              std::is_nothrow_move_assignable_v<stream_end>);

bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) != -1; }

// The file of the named semaphore "/x".
bool exists(const std::string& semaphore) {
  return std::filesystem::exists("/dev/shm/sem." + semaphore.substr(1));
}

}  // namespace

TEST_CASE("a pipe closes both its ends when it goes") {
  int read_end = -1;
  int write_end = -1;
  {
    forkloom::ipc::pipe p;
    read_end = p.read_end().native_handle();
    write_end = p.write_end().native_handle();
    CHECK(is_open(read_end));
    CHECK(is_open(write_end));
  }
  CHECK_FALSE(is_open(read_end));
  CHECK_FALSE(is_open(write_end));
}

TEST_CASE("a reader has closed its write end, a writer its read end") {
  forkloom::ipc::pipe for_reader;
  const int other = for_reader.write_end().native_handle();
  CHECK(for_reader.reader().native_handle() == for_reader.read_end().native_handle());
  CHECK_FALSE(is_open(other));
  CHECK(for_reader.write_end().native_handle() == -1);

  forkloom::ipc::pipe for_writer;
  const int unread = for_writer.read_end().native_handle();
  CHECK(for_writer.writer().native_handle() == for_writer.write_end().native_handle());
  CHECK_FALSE(is_open(unread));
}

TEST_CASE("an end that is moved from is closed, and the descriptor stays open") {
  forkloom::ipc::pipe p;
  const int descriptor = p.read_end().native_handle();
  const stream_end taken = std::move(p.read_end());
  CHECK(p.read_end().native_handle() == -1);
  CHECK(taken.native_handle() == descriptor);
  CHECK(is_open(descriptor));
}

TEST_CASE("an end that is assigned closes the descriptor that it had") {
  forkloom::ipc::pipe p;
  const int before = p.read_end().native_handle();
  const int after = p.write_end().native_handle();
  p.read_end() = std::move(p.write_end());
  CHECK_FALSE(is_open(before));
  CHECK(p.read_end().native_handle() == after);
  CHECK(is_open(after));
}

TEST_CASE("an end that is moved to itself stays open") {
  forkloom::ipc::pipe p;
  auto& same = p.read_end();
  p.read_end() = std::move(same);
  CHECK(is_open(p.read_end().native_handle()));
}

TEST_CASE("closing an end twice closes nothing of somebody else's") {
  forkloom::ipc::pipe p;
  const int descriptor = p.read_end().native_handle();
  p.read_end().close();
  const int reused = dup(p.write_end().native_handle());
  REQUIRE(reused == descriptor);
  p.read_end().close();
  CHECK(is_open(reused));
  close(reused);
}

TEST_CASE("what is written to a pipe is read from it, until nobody can write") {
  forkloom::ipc::pipe p;
  p.write_end().write_all("bread and butter");
  p.write_end().close();
  CHECK(p.read_end().read_exactly(5) == "bread");
  CHECK(p.read_end().read_exactly(100) == " and butter");
  char more = 0;
  CHECK(p.read_end().read({&more, 1}) == 0);
}

TEST_CASE("a FIFO's file lives as long as the handle") {
  const auto path = (std::filesystem::temp_directory_path() / unique_name()).string();
  {
    const fifo f(path);
    CHECK(f.path() == path);
    CHECK(std::filesystem::is_fifo(path));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a FIFO that could not be made leaves alone what was there") {
  const auto path = (std::filesystem::temp_directory_path() / unique_name()).string();
  const fifo first(path);
  CHECK_THROWS(fifo(path));
  CHECK(std::filesystem::is_fifo(path));
}

TEST_CASE("a named semaphore outlives its handles until it is unlinked") {
  const auto name = "/" + unique_name();
  { const auto made = named_semaphore::create(name, 1); }
  CHECK(exists(name));
  {
    auto opened = named_semaphore::open(name);
    CHECK(opened.try_acquire());
    CHECK_FALSE(opened.try_acquire());
    named_semaphore::unlink(name);
    CHECK_FALSE(exists(name));
    opened.release();
    CHECK(opened.try_acquire());
  }
}

TEST_CASE("two handles of one name are one semaphore") {
  const auto name = "/" + unique_name();
  auto one = named_semaphore::create(name, 0);
  auto other = named_semaphore::open(name);
  named_semaphore::unlink(name);
  other.release();
  CHECK(one.try_acquire());
  CHECK_FALSE(other.try_acquire());
}

TEST_CASE("a message queue outlives its handles, with its messages, until it is unlinked") {
  const auto name = "/" + unique_name();
  int descriptor = -1;
  {
    auto made = message_queue::create(name);
    made.send("bread", 3);
    descriptor = made.native_handle();
    CHECK(is_open(descriptor));
  }
  CHECK_FALSE(is_open(descriptor));
  auto opened = message_queue::open(name);
  message_queue::unlink(name);
  CHECK_THROWS(message_queue::open(name));
  const auto got = opened.receive();
  CHECK(got.text == "bread");
  CHECK(got.priority == 3);
}

TEST_CASE("a message queue gives the most urgent message first, and then the oldest") {
  const auto name = "/" + unique_name();
  auto queue = message_queue::create(name);
  message_queue::unlink(name);
  queue.send("butter");
  queue.send("");
  queue.send("fire", 9);
  CHECK(queue.receive().text == "fire");
  CHECK(queue.receive().text == "butter");
  CHECK(queue.receive().text.empty());
}

TEST_CASE("trying a message queue that is full or empty changes nothing, and does not wait") {
  const auto name = "/" + unique_name();
  auto queue = message_queue::create(name, {.messages_max = 1});
  message_queue::unlink(name);
  const auto try_both = [&] {
    message_queue::message got{.text = "as before", .priority = 7};
    CHECK_FALSE(queue.try_receive(got));
    CHECK(got.text == "as before");
    CHECK(got.priority == 7);
    CHECK(queue.try_send("bread", 2));
    CHECK_FALSE(queue.try_send("butter"));
    CHECK(queue.try_receive(got));
    CHECK(got.text == "bread");
    CHECK(got.priority == 2);
  };
  try_both();
  mq_attr wanted{};
  wanted.mq_flags = O_NONBLOCK;
  mq_setattr(queue.native_handle(), &wanted, nullptr);
  try_both();
}

TEST_CASE("a mutex goes with the standard's guards") {
  forkloom::ipc::mutex m;
  {
    const std::scoped_lock guard{m};
    CHECK_FALSE(m.try_lock());
  }
  CHECK(m.try_lock());
  m.unlock();
}

TEST_CASE("a recursive mutex counts its locks") {
  forkloom::ipc::mutex m(forkloom::ipc::mutex::kind::recursive);
  m.lock();
  CHECK(m.try_lock());
  m.unlock();
  m.unlock();
  CHECK_THROWS_AS(m.unlock(), std::system_error);
}

TEST_CASE("a notification that came before is not remembered by a condition's predicate form") {
  forkloom::ipc::mutex m;
  condition c;
  c.notify_one();
  c.notify_all();
  std::unique_lock lock{m};
  int asked = 0;
  c.wait(lock, [&] { return ++asked == 1; });  // true at once: it does not wait
  CHECK(asked == 1);
  CHECK(lock.owns_lock());
}
