// Boost.Interprocess runs under control as it is: it is made of intercepted calls.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>

#include "forkloom/forkloom.hpp"

using namespace forkloom;
namespace bip = boost::interprocess;

namespace {

// A till in a managed segment: an object that two processes find by name.
struct till {
  bip::interprocess_mutex lock;
  shared<long> amount{0};
};

void fill_till(bool locked) {
  bip::managed_shared_memory segment(bip::open_only, "till");
  auto* found = segment.find<till>("till").first;
  for (int i = 0; i < 3; ++i) {
    if (locked) {
      const bip::scoped_lock<bip::interprocess_mutex> guard(found->lock);
      found->amount += 5;
    } else {
      found->amount += 5;
    }
  }
}

void with_till(scenario& scenario, bool locked) {
  bip::managed_shared_memory segment(bip::create_only, "till", 65536);
  auto* made = segment.construct<till>("till")();
  scenario.processes("cashier", 2, [&] { fill_till(locked); });
  scenario.finally([&] { expect(made->amount == 30); });
  bip::shared_memory_object::remove("till");
}

void pass_numbers(scenario& scenario, unsigned long capacity, bool reply_first) {
  bip::message_queue there(bip::create_only, "there", capacity, sizeof(int));
  bip::message_queue back(bip::create_only, "back", capacity, sizeof(int));
  const auto body = [&](bip::message_queue& out, bip::message_queue& in) {
    unsigned priority = 0;
    bip::message_queue::size_type size = 0;
    for (int i = 0; i < 2; ++i) {
      out.send(&i, sizeof i, 0);
      if (!reply_first) continue;
      int got = -1;
      in.receive(&got, sizeof got, size, priority);
      expect(that(got) == i);
    }
    for (int i = 0; i < 2 && !reply_first; ++i) {
      int got = -1;
      in.receive(&got, sizeof got, size, priority);
      expect(that(got) == i);
    }
  };
  scenario.process("ping", [&] { body(there, back); });
  scenario.process("pong", [&] { body(back, there); });
  scenario.finally([] {});
  bip::message_queue::remove("there");
  bip::message_queue::remove("back");
}

void count_under(scenario& scenario, bool locked) {
  auto& count = scenario.shared<long>("count");
  scenario.processes("turnstile", 2, [&, locked] {
    bip::named_mutex gate(bip::open_or_create, "gate", bip::permissions(0600));
    for (int i = 0; i < 2; ++i) {
      if (locked) gate.lock();
      ++count;
      if (locked) gate.unlock();
    }
  });
  scenario.finally([&] { expect(count == 4); });
  bip::named_mutex::remove("gate");
}

}  // namespace

FORKLOOM_SCENARIO("a till in a managed segment without its mutex",
                  "[boost][managed][lost-update][broken]",
                  .expects = {violation_kind::lost_update, violation_kind::expectation}) {
  with_till(scenario, false);
}

FORKLOOM_SCENARIO("a till in a managed segment under its mutex", "[boost][managed][correct]") {
  with_till(scenario, true);
}

FORKLOOM_SCENARIO("two message queues that both fill up",
                  "[boost][message-queue][deadlock][broken]",
                  .expects = {violation_kind::deadlock}) {
  pass_numbers(scenario, 1, false);
}

FORKLOOM_SCENARIO("two message queues with room", "[boost][message-queue][correct]") {
  pass_numbers(scenario, 2, true);
}

FORKLOOM_SCENARIO("a named mutex that is not taken", "[boost][named-mutex][lost-update][broken]",
                  .expects = {violation_kind::lost_update, violation_kind::expectation}) {
  count_under(scenario, false);
}

FORKLOOM_SCENARIO("a named mutex that is taken", "[boost][named-mutex][correct]") {
  count_under(scenario, true);
}
