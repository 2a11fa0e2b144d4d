#include "framework/execution/trap.hpp"

#include <link.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <signal.h>
#include <ucontext.h>

#include <cerrno>
#include <cstdint>

#include "framework/execution/call.hpp"
#include "framework/execution/signal_state.hpp"
#include "framework/execution/sys.hpp"

// Where a handler returns to. The kernel's unwinders and libgcc's know a signal frame by exactly
// these instructions, and libgcc only if no unwind information covers the byte before them.
// forkloom_resume makes the call that is in the registers. The stack holds where to go on and with
// what stack; rcx is free, as the system call instruction itself destroys it.
__asm__(
    ".text\n"
    ".balign 16\n"
    "  nop\n"
    ".hidden forkloom_restore\n"
    ".globl forkloom_restore\n"
    ".type forkloom_restore, @function\n"
    "forkloom_restore:\n"
    "  .byte 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0\n"  // mov $15, %rax
    "  syscall\n"
    ".size forkloom_restore, . - forkloom_restore\n"
    ".hidden forkloom_resume\n"
    ".globl forkloom_resume\n"
    ".type forkloom_resume, @function\n"
    "forkloom_resume:\n"
    "  syscall\n"
    "  pop %rcx\n"
    "  pop %rsp\n"
    "  jmp *%rcx\n"
    ".size forkloom_resume, . - forkloom_resume\n");

extern "C" void forkloom_resume();

namespace forkloom::execution {

constinit thread_local unsigned char trap_selector = trap_off;
constinit thread_local unsigned char trap_in_program = trap_off;

namespace {

constexpr int by_user_dispatch = 2;  // SYS_USER_DISPATCH, which libc's headers do not know yet

// Where Forkloom's own text lies.
constinit std::uint64_t text_begin = 0;
constinit std::uint64_t text_size = 0;

std::uint64_t number(const void* address) noexcept {
  return reinterpret_cast<std::uint64_t>(address);  // NOLINT: an address as a number
}

std::int64_t address_of(void (*function)()) noexcept {
  return reinterpret_cast<std::int64_t>(function);  // NOLINT: registers hold numbers
}

int take_own_text(dl_phdr_info* module, std::size_t /*size*/, void* /*unused*/) noexcept {
  const auto inside = static_cast<std::uint64_t>(address_of(&forkloom_restore));
  for (ElfW(Half) i = 0; i < module->dlpi_phnum; ++i) {
    const auto& part = module->dlpi_phdr[i];
    const auto begin = module->dlpi_addr + part.p_vaddr;
    if (part.p_type != PT_LOAD || inside - begin >= part.p_memsz) continue;
    text_begin = begin;
    text_size = part.p_memsz;
    return 1;
  }
  return 0;
}

struct registers {
  greg_t* all;
  [[nodiscard]] greg_t& operator[](int which) const noexcept { return all[which]; }
};

// A new thread, or a child that shares memory on a stack of its own, comes back from the call on
// that stack: there the handler's frame is not. So the call is made after the handler has returned,
// from Forkloom's text, and both find on their stack where to go on.
struct continuation {
  std::int64_t where;
  std::int64_t stack;
};

void put_below(std::uint64_t top, std::int64_t where) noexcept {
  // NOLINTNEXTLINE: the caller gave this memory to the new thread
  *reinterpret_cast<continuation*>(top - sizeof(continuation)) = {where,
                                                                  static_cast<std::int64_t>(top)};
}

// True if the call makes such a child; its stack is then prepared.
bool prepare_child(registers r) noexcept {
  if (r[REG_RAX] == SYS_clone && r[REG_RSI] != 0) {
    put_below(static_cast<std::uint64_t>(r[REG_RSI]), r[REG_RIP]);
    r[REG_RSI] -= static_cast<greg_t>(sizeof(continuation));
    return true;
  }
  if (r[REG_RAX] != SYS_clone3 || r[REG_RDI] == 0) return false;
  auto* how = reinterpret_cast<clone_args*>(r[REG_RDI]);  // NOLINT: the call's argument
  if (how->stack == 0) return false;
  put_below(how->stack + how->stack_size, r[REG_RIP]);
  how->stack_size -= sizeof(continuation);
  return true;
}

system_call call_in(registers r) noexcept {
  return {r[REG_RAX],
          {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]},
          reinterpret_cast<const void*>(r[REG_RIP])};  // NOLINT: registers hold numbers
}

// The return from a handler puts back what it found at its beginning, so what the call changed of
// that must be written there.
void keep_changes(long call, ucontext_t& context) noexcept {
  if (call == SYS_rt_sigprocmask)
    sys::call(SYS_rt_sigprocmask, SIG_BLOCK, 0, sys::address(&context.uc_sigmask),
              sizeof(std::uint64_t));
  if (call == SYS_sigaltstack) sys::call(SYS_sigaltstack, 0, sys::address(&context.uc_stack));
}

void on_trap(int /*signal*/, siginfo_t* info, void* where) noexcept {
  auto& context = *static_cast<ucontext_t*>(where);
  const registers r{context.uc_mcontext.gregs};
  const trap_pause not_ours;
  if (info->si_code != by_user_dispatch) return deliver_foreign_sigsys(info, where);
  // libc's own return from a handler: the stack is as it must be, only the text is not.
  if (r[REG_RAX] == SYS_rt_sigreturn) {
    r[REG_RIP] = address_of(&forkloom_restore);
    return;
  }
  const auto call = call_in(r);
  // Behind the handler's return, this is the top of the stack.
  const continuation after{r[REG_RIP], r[REG_RSP]};
  if (prepare_child(r)) {
    note_uncontrolled("clone", call.site);
    r[REG_RIP] = address_of(&forkloom_resume);
    r[REG_RSP] = static_cast<greg_t>(number(&after));
    return;
  }
  const auto error = errno;
  r[REG_RAX] = answer_trapped(call);
  errno = error;
  keep_changes(call.number, context);
}

}  // namespace

long perform(const system_call& call) noexcept {
  const auto& a = call.arguments;
  return sys::call(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

bool arm_trap() noexcept {
  // A task that executed a program arms before the library's constructors run.
  if (text_size == 0) dl_iterate_phdr(take_own_text, nullptr);
  install_sigsys(on_trap);
  return sys::call(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
                   static_cast<long>(text_begin), static_cast<long>(text_size),
                   sys::address(&trap_selector)) == 0;
}

}  // namespace forkloom::execution
