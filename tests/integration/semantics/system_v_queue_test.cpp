#include <sys/msg.h>

#include <cstring>

#include "tests/integration/semantics/peers.hpp"

namespace {

using forkloom::semantics::appointment;
using forkloom::semantics::both;
using forkloom::semantics::notes;

struct letter {
  long type;
  char text[64];
};

// An empty queue that holds 100 bytes.
struct queue : notes, appointment {
  int id = msgget(IPC_PRIVATE, 0600);
  queue() { hold(100); }
  queue(const queue&) = delete;
  ~queue() { msgctl(id, IPC_RMID, nullptr); }

  int hold(unsigned long bytes) const {
    msqid_ds status{};
    msgctl(id, IPC_STAT, &status);
    status.msg_qbytes = bytes;
    return msgctl(id, IPC_SET, &status);
  }
  int send(long type, const char* text, int flags = 0) const {
    letter one{type, {}};
    std::strcpy(one.text, text);
    return msgsnd(id, &one, std::strlen(text) + 1, flags);
  }
  int send_bytes(std::size_t size, int flags = 0) const {
    struct {
      long type;
      char text[16'384];  // more than a message may have: msgop(2), MSGMAX
    } const one{1, {}};
    return msgsnd(id, &one, size, flags);
  }
  // The first character of what came, or the error as a negative number.
  int receive(long type, int flags = 0) const {
    letter one{};
    return msgrcv(id, &one, sizeof one.text, type, flags) < 0 ? -errno : one.text[0];
  }
  [[nodiscard]] long messages() const {
    msqid_ds status{};
    msgctl(id, IPC_STAT, &status);
    return static_cast<long>(status.msg_qnum);
  }
};

struct nothing_else : notes {};

}  // namespace

TEST_CASE("a receiver of an empty System V queue waits for a message") {
  const auto seen = both<queue>({
      [](queue& w) { w.note(0, w.receive(0)); },
      [](queue& w) { w.note_error(1, w.send(5, "a")); },
  });
  CHECK(seen[0] == 'a');
  CHECK(seen[1] == 0);
}

TEST_CASE("a receiver that does not want to wait is told ENOMSG") {
  const auto seen = both<queue>({[](queue& w) {
    w.note(0, w.receive(0, IPC_NOWAIT));
    w.note_error(1, w.send(2, "b"));
    w.note(2, w.receive(1, IPC_NOWAIT));
    w.note(3, w.messages());
  }});
  CHECK(seen[0] == -ENOMSG);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == -ENOMSG);
  CHECK(seen[3] == 1);
}

TEST_CASE("messages come in their order, or chosen by type") {
  const auto seen = both<queue>({[](queue& w) {
    for (const auto* text : {"c", "a", "b", "d", "e"}) w.send(text[0] - 'a' + 1, text);
    w.note(0, w.receive(4));
    w.note(1, w.receive(-2));
    w.note(2, w.receive(0));
    w.note(3, w.receive(2, MSG_EXCEPT));
    w.note(4, w.receive(0));
  }});
  CHECK(seen[0] == 'd');
  CHECK(seen[1] == 'a');
  CHECK(seen[2] == 'c');
  CHECK(seen[3] == 'e');
  CHECK(seen[4] == 'b');
}

TEST_CASE("a receiver waits until a message of its type comes, and leaves others alone") {
  const auto seen = both<queue>({
      [](queue& w) { w.note(0, w.receive(7)); },
      [](queue& w) {
        w.note_error(1, w.send(3, "x"));
        w.note_error(2, w.send(7, "y"));
      },
      [](queue& w) { w.note(3, w.receive(3)); },
  });
  CHECK(seen[0] == 'y');
  CHECK(seen[3] == 'x');
}

TEST_CASE("a receiver of the lowest type waits until one is low enough") {
  const auto seen = both<queue>({
      [](queue& w) { w.note(0, w.receive(-3)); },
      [](queue& w) {
        w.note_error(1, w.send(4, "x"));
        w.note_error(2, w.send(3, "y"));
      },
  });
  CHECK(seen[0] == 'y');
}

TEST_CASE("a message that is too long is refused, or cut, as the receiver wishes") {
  const auto seen = both<queue>({[](queue& w) {
    w.send(1, "abcdef");
    letter one{};
    w.note_error(0, msgrcv(w.id, &one, 3, 0, 0));
    w.note(1, w.messages());
    w.note(2, msgrcv(w.id, &one, 3, 0, MSG_NOERROR));
    w.note(3, one.text[2]);
    w.note(4, w.messages());
  }});
  CHECK(seen[0] == E2BIG);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 3);
  CHECK(seen[3] == 'c');
  CHECK(seen[4] == 0);
}

TEST_CASE("a sender waits while the queue has no room for its bytes") {
  const auto seen = both<queue>({
      [](queue& w) {
        w.note_error(0, w.send_bytes(60));
        w.note_error(1, w.send_bytes(60));
        w.note_error(2, w.send_bytes(60));
      },
      [](queue& w) {
        for (int i = 0; i < 3; ++i) w.note(3 + i, w.receive(0) >= 0);
      },
  });
  for (int i = 0; i < 3; ++i) CHECK(seen[i] == 0);
  for (int i = 3; i < 6; ++i) CHECK(seen[i] == 1);
}

TEST_CASE("a sender that does not want to wait is told EAGAIN") {
  const auto seen = both<queue>({[](queue& w) {
    w.note_error(0, w.send_bytes(60));
    w.note_error(1, w.send_bytes(41, IPC_NOWAIT));
    w.note_error(2, w.send_bytes(40, IPC_NOWAIT));
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EAGAIN);
  CHECK(seen[2] == 0);
}

TEST_CASE("a queue that may hold more lets its senders go on") {
  const auto seen = both<queue>({
      [](queue& w) {
        w.note_error(0, w.send_bytes(60));
        w.next_call_waits();
        w.note_error(1, w.send_bytes(60));
      },
      [](queue& w) {
        w.await_waiter();
        w.note_error(2, w.hold(200));
      },
  });
  CHECK(seen[0] == 0);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == 0);
}

TEST_CASE("a receiver that waits for a queue that is removed is told EIDRM, a later one EINVAL") {
  const auto seen = both<queue>({
      [](queue& w) {
        w.next_call_waits();
        w.note(0, w.receive(9));
        w.call_has_ended();
      },
      [](queue& w) {
        w.await_waiter();
        w.note_error(1, msgctl(w.id, IPC_RMID, nullptr));
        w.note(2, w.receive(9));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == -EIDRM);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == -EINVAL);
}

TEST_CASE("a sender that waits for a queue that is removed is told EIDRM, a later one EINVAL") {
  const auto seen = both<queue>({
      [](queue& w) {
        w.send_bytes(100);
        w.next_call_waits();
        w.note_error(0, w.send_bytes(1));
        w.call_has_ended();
      },
      [](queue& w) {
        w.await_waiter();
        w.note_error(1, msgctl(w.id, IPC_RMID, nullptr));
        w.note_error(2, w.send_bytes(1));
        w.await_its_end();
      },
  });
  CHECK(seen[0] == EIDRM);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == EINVAL);
}

TEST_CASE("a message can be copied and stays where it is, but only without waiting") {
  const auto seen = both<queue>({[](queue& w) {
    w.send(4, "p");
    w.send(5, "q");
    w.note(0, w.receive(1, MSG_COPY | IPC_NOWAIT));
    w.note(1, w.messages());
    w.note(2, w.receive(2, MSG_COPY | IPC_NOWAIT));
    w.note(3, w.receive(0, MSG_COPY));
  }});
  // A kernel that is built without it says ENOSYS.
  CHECK((seen[0] == 'q' || seen[0] == -ENOSYS));
  CHECK(seen[1] == 2);
  CHECK((seen[2] == -ENOMSG || seen[2] == -ENOSYS));
  CHECK((seen[3] == -EINVAL || seen[3] == -ENOSYS));
}

TEST_CASE("a queue refuses what cannot be sent") {
  const auto seen = both<queue>({[](queue& w) {
    w.note_error(0, w.send(0, "x"));
    w.note_error(1, w.send(-1, "x"));
    w.note_error(2, w.send_bytes(16'000));
    w.note_error(3, msgsnd(w.id, nullptr, 1, 0));
    w.note_error(4, msgsnd(-1, "12345678", 0, 0));
    w.note_error(5, w.send_bytes(0));
    w.note(6, w.messages());
  }});
  CHECK(seen[0] == EINVAL);
  CHECK(seen[1] == EINVAL);
  CHECK(seen[2] == EINVAL);
  CHECK(seen[3] == EFAULT);
  CHECK(seen[4] == EINVAL);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == 1);
}

TEST_CASE("a queue knows who sent and received last, and when, on the clock that everybody reads") {
  const auto seen = both<queue>({[](queue& w) {
    const auto start = time(nullptr);
    msqid_ds status{};
    msgctl(w.id, IPC_STAT, &status);
    w.note(0, status.msg_stime == 0 && status.msg_rtime == 0);
    w.send(1, "x");
    w.receive(0);
    msgctl(w.id, IPC_STAT, &status);
    w.note(1, status.msg_lspid == getpid() && status.msg_lrpid == getpid());
    // The kernel's clock of seconds may lag behind by a tick.
    w.note(2, status.msg_stime >= start - 1 && status.msg_rtime <= time(nullptr));
  }});
  CHECK(seen[0] == 1);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == 1);
}

TEST_CASE("a queue is made once for a key, found by it, and gone after it was removed") {
  const auto seen = both<nothing_else>({[](nothing_else& w) {
    constexpr key_t key = 0x464c51;
    w.note_error(0, msgget(key, 0));
    const int id = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    w.note(1, id >= 0);
    w.note_error(2, msgget(key, IPC_CREAT | IPC_EXCL | 0600));
    w.note(3, msgget(key, 0) == id);
    w.note_error(4, msgctl(id, IPC_RMID, nullptr));
    w.note_error(5, msgget(key, 0));
  }});
  CHECK(seen[0] == ENOENT);
  CHECK(seen[1] == 1);
  CHECK(seen[2] == EEXIST);
  CHECK(seen[3] == 1);
  CHECK(seen[4] == 0);
  CHECK(seen[5] == ENOENT);
}
