// The kernel lingers when the last descriptor of a TCP socket is closed: until its peer has taken
// all that was sent, the socket's time is over, or a signal comes. The close has happened for the
// peer by then, which is what a shutdown for both ways does; so that is what comes first here. Only
// the number of the descriptor stays in use until the end, where the kernel gives it back at once.
#include "framework/intercept/socket_linger.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "framework/execution/sys.hpp"
#include "framework/intercept/socket_holders.hpp"
#include "framework/intercept/socket_peers.hpp"
#include "framework/intercept/virtual_time.hpp"

namespace forkloom::intercept {
namespace {

namespace sys = execution::sys;

linger lingering(int fd) noexcept {
  linger how{};
  socklen_t size = sizeof how;
  sys::call(SYS_getsockopt, fd, SOL_SOCKET, SO_LINGER, sys::address(&how), sys::address(&size));
  return how;
}

void set_lingering(int fd, const linger& how) noexcept {
  sys::call(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, sys::address(&how), sizeof how);
}

int bytes(int fd, long request) noexcept {
  int count = 0;
  sys::call(SYS_ioctl, fd, request, sys::address(&count));
  return count;
}

}  // namespace

void linger_before_close(execution::controlled_call& call, int fd, resource_id socket) noexcept {
  auto how = lingering(fd);
  if (how.l_onoff == 0 || how.l_linger == 0 || !is_tcp(fd) || holders_of(socket) != 1) return;
  // With data that nobody has read the kernel aborts the connection, and does not linger.
  if (bytes(fd, SIOCINQ) > 0) return;
  const auto deadline = deadline_after({.tv_sec = how.l_linger, .tv_nsec = 0});
  if (sys::call(SYS_shutdown, fd, SHUT_RDWR) == 0) changed_at_both_ends(socket);
  // What has been sent has come, over loopback.
  while (bytes(fd, SIOCOUTQNSD) > 0)
    if (call.block_on({&socket, 1}, deadline) != execution::wake::retry) break;
  how.l_onoff = 0;
  set_lingering(fd, how);
}

}  // namespace forkloom::intercept
