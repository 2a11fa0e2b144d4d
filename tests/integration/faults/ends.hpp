// The two ends that bytes go through: to out(), from in().
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "forkloom/expect.hpp"

namespace forkloom::faults_test {

struct ends {
  std::array<int, 2> of{};

  ends() { expect(that(::pipe(of.data())) == 0); }
  explicit ends(int socket_type) {
    expect(that(::socketpair(AF_UNIX, socket_type, 0, of.data())) == 0);
  }
  ends(const ends&) = delete;
  ends& operator=(const ends&) = delete;
  ~ends() {
    for (const int end : of) ::close(end);
  }
  [[nodiscard]] int in() const { return of[0]; }
  [[nodiscard]] int out() const { return of[1]; }
};

template <int type>
struct sockets : ends {
  sockets() : ends(type) {}
};

}  // namespace forkloom::faults_test
