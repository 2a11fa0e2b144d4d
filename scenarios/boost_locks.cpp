// Boost.Interprocess's locks for readers and writers, and the making of a segment by whoever comes
// first.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>
#include <boost/interprocess/sync/interprocess_upgradable_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>
#include <boost/interprocess/sync/sharable_lock.hpp>

#include "forkloom/forkloom.hpp"

using namespace forkloom;
namespace bip = boost::interprocess;

namespace {

// Each reads, and then writes what it has read. Whoever asks to write while it reads waits for all
// other readers; two such wait for each other.
void read_and_then_write(bip::interprocess_sharable_mutex& lock, shared<long>& value) {
  const bip::sharable_lock<bip::interprocess_sharable_mutex> reading(lock);
  const long seen = value;
  const bip::scoped_lock<bip::interprocess_sharable_mutex> writing(lock);
  value = seen + 1;
}

// Only one at a time may be about to write, and readers do not hinder it.
void read_and_then_upgrade(bip::interprocess_upgradable_mutex& lock, shared<long>& value) {
  lock.lock_upgradable();
  const long seen = value;
  lock.unlock_upgradable_and_lock();
  value = seen + 1;
  lock.unlock();
}

constexpr const char* segment_name = "visitors";

void remove_segment() { bip::shared_memory_object::remove(segment_name); }

}  // namespace

FORKLOOM_SCENARIO("readers of a Boost lock that ask to write without leaving",
                  "[boost][sharable][deadlock][broken]", .expects = {violation_kind::deadlock}) {
  auto& lock = scenario.make<bip::interprocess_sharable_mutex>("lock");
  auto& value = scenario.shared<long>("value");
  scenario.processes("editor", 2, [&] { read_and_then_write(lock, value); });
}

FORKLOOM_SCENARIO("readers of a Boost lock that say at once that they will write",
                  "[boost][upgradable][correct]") {
  auto& lock = scenario.make<bip::interprocess_upgradable_mutex>("lock");
  auto& value = scenario.shared<long>("value");
  scenario.processes("editor", 2, [&] { read_and_then_upgrade(lock, value); });
  scenario.finally([&] { expect(value == 2); });
}

FORKLOOM_SCENARIO("a segment that the second one expects to be there", "[boost][managed][broken]",
                  .expects = {violation_kind::expectation}) {
  scenario.process("maker", [] {
    bip::managed_shared_memory segment(bip::create_only, segment_name, 65536);
    segment.construct<int>("greeting")(7);
  });
  scenario.process("visitor", [] {
    try {
      bip::managed_shared_memory segment(bip::open_only, segment_name);
      const auto* greeting = segment.find<int>("greeting").first;
      expect(that(greeting != nullptr) == true);
    } catch (const bip::interprocess_exception& e) {
      expect(that(e.get_error_code()) == bip::no_error);
    }
  });
  scenario.finally([] {});
  remove_segment();
}

FORKLOOM_SCENARIO("a segment that whoever comes first makes", "[boost][managed][correct]") {
  scenario.processes("visitor", 2, [] {
    bip::managed_shared_memory segment(bip::open_or_create, segment_name, 65536, nullptr,
                                       bip::permissions(0600));
    const auto* greeting = segment.find_or_construct<int>("greeting")(7);
    expect(that(*greeting) == 7);
  });
  scenario.finally([] {});
  remove_segment();
}
