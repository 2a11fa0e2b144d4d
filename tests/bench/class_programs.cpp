#include "tests/bench/class_programs.hpp"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "forkloom/ipc/condition.hpp"
#include "forkloom/ipc/message_queue.hpp"
#include "forkloom/ipc/mutex.hpp"
#include "forkloom/ipc/semaphore.hpp"

namespace forkloom::bench {
namespace {

using ipc::message_queue;

// Its name goes at once: the processes inherit the descriptor.
struct nameless_queue {
  message_queue queue = message_queue::create("/classes", {.messages_max = 8});

  nameless_queue() { message_queue::unlink("/classes"); }
  void send() { queue.send("1"); }
  void receive() { static_cast<void>(queue.receive()); }
};

// Each reader comes before or after the one writer: 2^n.
void readers_and_writer(scenario& scenario, unsigned n) {
  auto& x = scenario.shared<int>("x", 0);
  scenario.process("writer", [&] { x = 1; });
  scenario.processes("reader", n, [&] { static_cast<void>(x.load()); });
}

// n!
void writers(scenario& scenario, unsigned n) {
  auto& x = scenario.shared<unsigned>("x", 0);
  scenario.processes("writer", n, [&](process& self) { x = self.index() + 1; });
}

// Two loads and two stores. One task first, or the other, is two; both loads before both stores,
// which come in two orders, is two more.
void incrementers(scenario& scenario) {
  auto& x = scenario.shared<int>("x", 0);
  scenario.processes("incrementer", 2, [&] { x = x + 1; });
}

// n!, however often somebody waits.
void locked(scenario& scenario, unsigned n) {
  auto& m = scenario.make<ipc::mutex>("m");
  auto& x = scenario.shared<int>("x", 0);
  scenario.processes("owner", n, [&] {
    m.lock();
    x = x + 1;
    m.unlock();
  });
}

// Either one goes first, or each gets its own first lock and waits for ever: 3.
void opposed_locks(scenario& scenario) {
  auto& a = scenario.make<ipc::mutex>("a");
  auto& b = scenario.make<ipc::mutex>("b");
  const auto both = [](ipc::mutex& first, ipc::mutex& second) {
    first.lock();
    second.lock();
    second.unlock();
    first.unlock();
  };
  scenario.process("one", [&a, &b, both] { both(a, b); });
  scenario.process("other", [&a, &b, both] { both(b, a); });
}

// The file system of Flanagan and Godefroid (POPL 2005), with two inodes and a block for each task:
// tasks of one inode come in some order, those of different ones do not meet. For three tasks: 2.
void file_system(scenario& scenario) {
  struct entry {
    ipc::mutex* lock;
    shared<int>* value;
  };
  std::array<entry, 2> inodes{};
  std::array<entry, 3> blocks{};
  for (auto& e : inodes)
    e = {&scenario.make<ipc::mutex>("inode lock"), &scenario.shared<int>("inode", 0)};
  for (auto& e : blocks)
    e = {&scenario.make<ipc::mutex>("block lock"), &scenario.shared<int>("busy", 0)};
  scenario.processes("task", 3, [inodes, blocks](process& self) {
    const auto& inode = inodes.at(self.index() % 2);
    const auto& block = blocks.at(self.index());
    inode.lock->lock();
    if (*inode.value == 0) {
      block.lock->lock();
      if (*block.value == 0) {
        *block.value = 1;
        *inode.value = static_cast<int>(self.index()) + 1;
      }
      block.lock->unlock();
    }
    inode.lock->unlock();
  });
}

// Last zero of Abdulla and others (POPL 2014): (n + 3) 2^(n - 2) classes.
void last_zero(scenario& scenario, unsigned n) {
  std::array<shared<int>*, 8> places{};
  for (unsigned i = 0; i <= n; ++i) places.at(i) = &scenario.shared<int>("a", 0);
  scenario.process("seeker", [places, n] {
    auto i = n;
    while (*places.at(i) != 0) --i;
  });
  scenario.processes("writer", n, [places](process& self) {
    const auto j = self.index() + 1;
    *places.at(j) = *places.at(j - 1) + 1;
  });
}

// The indexer of Flanagan and Godefroid, with a table so small that both tasks want its first slot:
// one gets it, and the other then takes the second one: 2.
void indexer(scenario& scenario) {
  std::array<shared<unsigned>*, 2> table{};
  for (auto& slot : table) slot = &scenario.shared<unsigned>("slot", 0);
  scenario.processes("indexer", 2, [table](process& self) {
    for (std::size_t h = 0;; ++h) {
      unsigned free = 0;
      if (table.at(h)->compare_exchange(free, self.index() + 1)) return;
    }
  });
}

// Each waits for the one before: 1.
void message_chain(scenario& scenario) {
  auto& go = scenario.make<ipc::semaphore>("go", 0U);
  const auto queue = std::make_shared<nameless_queue>();
  scenario.process("first", [queue] { queue->send(); });
  scenario.process("second", [queue, &go] {
    queue->receive();
    go.release();
  });
  scenario.process("third", [&go] { go.acquire(); });
}

// Two sends in either order, and the first of the receives before or after the second send: 4.
void two_producers(scenario& scenario) {
  const auto queue = std::make_shared<nameless_queue>();
  scenario.processes("producer", 2, [queue] { queue->send(); });
  scenario.process("consumer", [queue] {
    queue->receive();
    queue->receive();
  });
}

// What is posted is a look at x that the reader's store may come before or after: 2.
void semaphore_and_memory(scenario& scenario) {
  auto& go = scenario.make<ipc::semaphore>("go", 0U);
  auto& x = scenario.shared<int>("x", 0);
  scenario.process("poster", [&go] { go.release(); });
  scenario.process("waiter", [&go, &x] {
    go.acquire();
    x = 1;
  });
  scenario.process("reader", [&x] { static_cast<void>(x.load()); });
}

// Two wait, in either order, and somebody wakes them without the mutex. Before both: nobody wakes;
// 2. Between: the woken one leaves before the other comes, or after; 4. After: they leave in either
// order; 4.
void broadcast(scenario& scenario) {
  auto& m = scenario.make<ipc::mutex>("m");
  auto& free = scenario.make<ipc::condition>("free");
  scenario.processes("waiter", 2, [&m, &free] {
    std::unique_lock lock(m);
    free.wait(lock);
  });
  scenario.process("caller", [&free] { free.notify_all(); });
}

// Three tasks in a row, by pipes. The first one's end may close what the second one's message goes
// into, as far as anybody knows who does not keep count of descriptors: 2.
void pipe_chain(scenario& scenario) {
  std::array<std::array<int, 2>, 2> pipes{};
  for (auto& p : pipes)
    if (::pipe(p.data()) != 0) throw std::runtime_error("no pipe");
  scenario.process("first", [pipes] { static_cast<void>(::write(pipes[0][1], "1", 1) + 1); });
  scenario.process("second", [pipes] {
    char byte = 0;
    static_cast<void>(::read(pipes[0][0], &byte, 1) + ::write(pipes[1][1], "2", 1));
  });
  scenario.process("third", [pipes] {
    char byte = 0;
    static_cast<void>(::read(pipes[1][0], &byte, 1) + 1);
  });
}

// The child is dead when its parent ends, or outlives it: 2.
void parent_and_child(scenario& scenario) {
  scenario.process("parent", [] {
    if (::fork() == 0) ::_exit(0);
  });
}

// A child has the mutex as it was when it was forked: before it was locked, meanwhile, or after: 3.
// That the thread asks for what had been initialised before changes nothing.
void fork_beside_lock(scenario& scenario) {
  scenario.process("parent", [] {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_once_t initialised = PTHREAD_ONCE_INIT;
    pthread_once(&initialised, [] {});
    std::thread locker([] {
      pthread_once(&initialised, [] {});
      pthread_mutex_lock(&mutex);
      pthread_mutex_unlock(&mutex);
    });
    const auto child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    locker.join();
  });
}

std::function<void(scenario&)> sized(void (*body)(scenario&, unsigned), unsigned n) {
  return [body, n](scenario& s) { body(s, n); };
}

}  // namespace

std::vector<class_program> class_programs() {
  return {
      {"1 reader, 1 writer", 2, sized(readers_and_writer, 1)},
      {"3 readers, 1 writer", 8, sized(readers_and_writer, 3)},
      {"6 readers, 1 writer", 64, sized(readers_and_writer, 6)},
      {"2 writers", 2, sized(writers, 2)},
      {"4 writers", 24, sized(writers, 4)},
      {"2 incrementers", 4, incrementers},
      {"2 owners of a mutex", 2, sized(locked, 2)},
      {"4 owners of a mutex", 24, sized(locked, 4)},
      {"2 locks, opposed", 3, opposed_locks},
      {"file system, 3 tasks", 2, file_system},
      {"last zero, 2", 5, sized(last_zero, 2)},
      {"last zero, 4", 28, sized(last_zero, 4)},
      {"indexer, 2 tasks", 2, indexer},
      {"message chain", 1, message_chain},
      {"2 producers", 4, two_producers},
      {"semaphore and memory", 2, semaphore_and_memory},
      {"broadcast to 2", 10, broadcast},
      {"pipe chain", 2, pipe_chain},
      {"parent and child", 2, parent_and_child},
      {"fork beside a lock", 3, fork_beside_lock},
  };
}

}  // namespace forkloom::bench
