// What glibc 2.36 declares in <sys/pidfd.h> with the wrong linkage for C++.
#pragma once

#include <signal.h>
#include <sys/types.h>

extern "C" {

int pidfd_open(pid_t pid, unsigned flags) noexcept;
int pidfd_send_signal(int fd, int signal, siginfo_t* info, unsigned flags) noexcept;

}  // extern "C"
