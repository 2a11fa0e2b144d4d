#include "framework/trace/transfer.hpp"
#include "tests/catch.hpp"
#include "tests/unit/checkers/trace_builder.hpp"

namespace {

using namespace forkloom;
using namespace forkloom::testing;

struct post {
  trace_builder b;
  task_id one = b.task("writer 0");
  task_id other = b.task("writer 1");
  task_id reader = b.task("reader 0");
  task_id next_reader = b.task("reader 1");
  resource_id log = b.resource("log", resource_kind::pipe);
  resource_id queue = b.resource("orders", resource_kind::message_queue);
  resource_id name = b.resource("/orders", resource_kind::message_queue);
  resource_id letters = b.resource("letters", resource_kind::system_v_queue);
  resource_id socket = b.resource("socket", resource_kind::socket);

  std::size_t wrote(task_id task, std::int64_t size) {
    return b.does(task, operation::write, log, {.result = size});
  }
  // Waits for room for the rest.
  std::size_t wrote_part(task_id task, std::uint64_t part) {
    const auto at = b.blocks(task, operation::write, log);
    b.raw().events[at].before = part;
    return at;
  }
  std::size_t read(task_id task, std::uint64_t asked, std::int64_t got) {
    return b.does(task, operation::read, log, {.result = got, .before = asked});
  }
  std::size_t send(task_id task, std::uint64_t priority) {
    return b.does(task, operation::mq_send, queue, {.before = 5, .after = priority});
  }
  void receive(task_id task, std::uint64_t priority) {
    b.does(task, operation::mq_receive, queue, {.result = 5, .before = 64, .after = priority});
  }
  void opens_queue(bool makes) {
    b.does(one, operation::mq_open, name,
           {.result = 3, .before = makes ? 1U : 0U, .second = queue});
  }
  [[nodiscard]] std::vector<violation> found() const {
    return checkers::check_message(b.done(), {});
  }
};

TEST_CASE("a write that waits for room is torn by another task's bytes") {
  post p;
  const auto part = p.wrote_part(p.one, 4096);
  p.read(p.reader, 4096, 4096);
  const auto between = p.wrote(p.other, 100);
  p.wrote(p.one, 5000);
  const auto found = p.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == violation_kind::message);
  CHECK(found[0].resource == "log");
  CHECK(found[0].tasks == strings{"writer 0", "writer 1"});
  CHECK(found[0].evidence == indices{part, between});
  CHECK(found[0].message ==
        "what writer 0 wrote to log was torn: after 4096 bytes it had to wait for room at "
        "code.cpp:0, and the bytes of writer 1 at code.cpp:2 came before the rest");
}

TEST_CASE("a write that waits with nothing written yet, or that is over, is not torn") {
  post p;
  p.b.blocks(p.one, operation::write, p.log);
  p.wrote(p.other, 100);
  p.wrote(p.one, 5000);
  p.wrote(p.other, 100);
  CHECK(p.found().empty());
}

TEST_CASE("a writer that died in the middle tears nothing any more") {
  post p;
  p.wrote_part(p.one, 4096);
  p.b.dies(p.one, {.kind = task_end::how::signalled, .code = 9});
  p.wrote(p.other, 100);
  CHECK(p.found().empty());
}

TEST_CASE("a read that falls short within a write is torn if another task reads on") {
  post p;
  p.wrote_part(p.one, 4096);
  const auto half = p.read(p.reader, 5000, 4096);
  p.wrote(p.one, 5000);
  const bool same = GENERATE(false, true);
  const auto rest = p.read(same ? p.reader : p.next_reader, 904, 904);
  const auto found = p.found();
  REQUIRE(found.size() == (same ? 0 : 1));
  if (!same) CHECK(found[0].evidence == indices{half, rest});
}

TEST_CASE("readers that each take what they asked for share a write without tearing it") {
  post p;
  p.wrote(p.one, 20);
  p.read(p.reader, 10, 10);
  p.read(p.next_reader, 10, 10);
  p.wrote(p.one, 10);
  p.read(p.reader, 100, 10);  // short, but the whole of what was written
  p.wrote(p.one, 10);
  p.read(p.next_reader, 100, 10);
  CHECK(p.found().empty());
}

TEST_CASE("a pipe with bytes of unknown origin is not judged for its readers") {
  post p;
  const std::int64_t unknown = GENERATE(4, 10);
  p.read(p.reader, 10, unknown);
  p.wrote(p.one, 20);
  p.read(p.reader, 30, 10);
  p.read(p.next_reader, 10, 10);
  CHECK(p.found().empty());
}

TEST_CASE("messages that are in a queue when it goes are lost") {
  post p;
  p.opens_queue(true);
  const auto first = p.send(p.one, 1);
  p.send(p.one, 2);
  p.receive(p.reader, 2);
  p.b.does(p.one, operation::mq_unlink, p.name);
  const auto found = p.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{first});
  CHECK(found[0].message ==
        "a message was lost: writer 0 sent it to orders at code.cpp:1, and nobody received it");
}

TEST_CASE(
    "a queue that is left, or that the scenario made, or that is empty, or that nobody reads, "
    "loses "
    "nothing") {
  post p;
  const auto how = GENERATE(0, 1, 2, 3);
  p.opens_queue(how != 1);
  if (how != 3) p.b.blocks(p.reader, operation::mq_receive, p.queue);
  p.send(p.one, 1);
  if (how == 2) p.receive(p.reader, 1);
  if (how != 0) p.b.does(p.one, operation::mq_unlink, p.name);
  CHECK(p.found().empty());
}

TEST_CASE("an execution that was cut short says nothing of what is still in a queue") {
  post p;
  p.opens_queue(true);
  p.b.blocks(p.reader, operation::mq_receive, p.queue);
  p.send(p.one, 1);
  p.b.does(p.one, operation::mq_unlink, p.name);
  p.b.raw().how = ending::stopped;
  CHECK(p.found().empty());
}

TEST_CASE("a System V queue loses what is in it when it is removed") {
  post p;
  const auto sent = p.b.does(p.one, operation::msgsnd, p.letters, {.before = 7, .after = 1});
  p.b.does(p.other, operation::msgsnd, p.letters, {.before = 8, .after = 1});
  p.b.does(p.reader, operation::msgrcv, p.letters, {.result = 1, .before = 8, .after = 8});
  const auto removed = p.b.does(p.reader, operation::msgctl, p.letters);
  const auto found = p.found();
  REQUIRE(found.size() == 1);
  CHECK(found[0].evidence == indices{sent, removed});
  CHECK(contains(found[0].message, "when reader 0 removed it at code.cpp:3"));
}

struct datagrams : post {
  void made_by_task(std::uint64_t type = 2) {
    b.does(reader, operation::socket, socket, {.result = 4, .before = 1, .after = type});
  }
  std::size_t sends(std::uint64_t size) {
    return b.does(one, operation::send, no_resource,
                  {.result = static_cast<std::int64_t>(size), .before = size, .second = socket});
  }
  std::size_t takes(std::uint64_t room, std::uint64_t how = received_a_message) {
    return b.does(reader, operation::receive, socket,
                  {.result = static_cast<std::int64_t>(room), .before = room, .after = how});
  }
};

TEST_CASE("a datagram that does not fit into the buffer is cut") {
  datagrams p;
  const auto sent = p.sends(20);
  const auto room = GENERATE(10U, 20U, 30U);
  const auto took = p.takes(room);
  const auto found = p.found();
  REQUIRE(found.size() == (room < 20 ? 1 : 0));
  if (room < 20) {
    CHECK(found[0].evidence == indices{sent, took});
    CHECK(contains(found[0].message, "a message of 20 bytes that writer 0 sent at code.cpp:0"));
  }
}

TEST_CASE("a look takes nothing, and a stream has no messages to cut") {
  datagrams p;
  p.sends(20);
  SECTION("a look") {
    p.takes(0, received_a_message | received_a_look);
    p.takes(20);
  }
  SECTION("a stream") { p.takes(10, 0); }
  CHECK(p.found().empty());
}

TEST_CASE("a message of unknown origin makes a socket's account useless") {
  datagrams p;
  p.takes(10);
  p.sends(20);
  p.takes(10);
  CHECK(p.found().empty());
}

TEST_CASE("datagrams that nobody received are lost, those of a stream are none") {
  datagrams p;
  const auto type = GENERATE(1U, 2U, 2U | 02000000U);
  p.made_by_task(type);
  const auto first = p.sends(5);
  p.sends(6);
  const auto found = p.found();
  REQUIRE(found.size() == (type == 1 ? 0 : 1));
  if (type != 1) {
    CHECK(found[0].evidence.front() == first);
    CHECK(contains(found[0].message, "2 messages were lost"));
  }
}

TEST_CASE("a resource and a way are told once") {
  post p;
  for (int i = 0; i < 2; ++i) {
    p.wrote_part(p.one, 4096);
    p.wrote(p.other, 100);
    p.wrote(p.one, 5000);
  }
  CHECK(p.found().size() == 1);
}

}  // namespace
