#include "framework/execution/program_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "framework/execution/sys.hpp"

namespace forkloom::execution {
namespace {

constexpr int interpreters_max = 5;  // execve(2): "Interpreter scripts", as deep as the kernel goes

class open_file {
 public:
  open_file(int directory, const char* path, int flags) noexcept
      : fd_(sys::call(SYS_openat, directory, sys::address(path),
                      O_RDONLY | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0))) {}
  // The file behind a descriptor, as AT_EMPTY_PATH means it: a copy would share the position, but
  // pread(2) does not move it.
  explicit open_file(int descriptor) noexcept
      : fd_(sys::call(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 0)) {}
  ~open_file() {
    if (fd_ >= 0) sys::call(SYS_close, fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return static_cast<int>(fd_); }

  [[nodiscard]] std::size_t read(void* to, std::size_t size, std::uint64_t offset) const noexcept {
    const auto got = sys::call(SYS_pread64, fd_, sys::address(to), static_cast<long>(size),
                               static_cast<long>(offset));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

 private:
  long fd_;
};

// ld.so(8), "Secure-execution mode". The superuser's programs gain nothing by capabilities.
bool is_privileged(const open_file& file) noexcept {
  struct stat status {};
  if (sys::call(SYS_fstat, file.get(), sys::address(&status)) != 0) return false;
  const bool other_user = (status.st_mode & S_ISUID) != 0 &&
                          status.st_uid != static_cast<uid_t>(sys::call(SYS_geteuid));
  const bool other_group = (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
                           status.st_gid != static_cast<gid_t>(sys::call(SYS_getegid));
  if (other_user || other_group) return true;
  return sys::call(SYS_getuid) != 0 &&
         sys::call(SYS_fgetxattr, file.get(), sys::address("security.capability"), 0, 0) > 0;
}

bool is_linker_of_glibc(const open_file& file, const Elf64_Phdr& part) noexcept {
  std::array<char, 256> path{};
  const auto length =
      file.read(path.data(), std::min(path.size() - 1, part.p_filesz), part.p_offset);
  const std::string_view whole(path.data(), std::min(length, std::string_view(path.data()).size()));
  return whole.substr(whole.rfind('/') + 1).starts_with("ld-linux");
}

obstacle inspect_elf(const open_file& file, const Elf64_Ehdr& header) noexcept {
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64)
    return obstacle::foreign_machine;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    if (file.read(&part, sizeof part, header.e_phoff + i * sizeof part) != sizeof part) break;
    if (part.p_type != PT_INTERP) continue;
    if (!is_linker_of_glibc(file, part)) return obstacle::foreign_library;
    return is_privileged(file) ? obstacle::privileged : obstacle::none;
  }
  return obstacle::statically_linked;
}

// "#! /bin/sh -e" → "/bin/sh"; false if there is none.
bool take_interpreter(std::string_view line, std::array<char, 256>& interpreter) noexcept {
  line.remove_prefix(2);
  line = line.substr(0, line.find('\n'));
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  const auto end = std::min(line.find_first_of(" \t\r"), line.size());
  const auto length = std::min(end, interpreter.size() - 1);
  std::copy_n(line.begin(), length, interpreter.begin());
  interpreter[length] = '\0';
  return length != 0;
}

}  // namespace

program_inspection inspect_program(int directory, const char* path, int flags) noexcept {
  program_inspection result;
  for (int depth = 0; depth <= interpreters_max; ++depth) {
    const bool by_descriptor = depth == 0 && (flags & AT_EMPTY_PATH) != 0 && path[0] == '\0';
    const auto file = by_descriptor ? open_file(directory)
                      : depth == 0  ? open_file(directory, path, flags)
                                    : open_file(AT_FDCWD, result.interpreter.data(), 0);
    if (!file) {
      result.what = depth == 0 ? obstacle::no_such_file : obstacle::no_such_interpreter;
      return result;
    }
    union {
      Elf64_Ehdr header;
      char text[256];
    } start{};
    const auto size = file.read(&start, sizeof start, 0);
    const std::string_view text(start.text, size);
    if (size >= sizeof(Elf64_Ehdr) && text.starts_with(ELFMAG)) {
      result.what = inspect_elf(file, start.header);
      return result;
    }
    if (!text.starts_with("#!") || !take_interpreter(text, result.interpreter)) {
      result.what = obstacle::not_a_program;
      return result;
    }
  }
  result.what = obstacle::too_many_interpreters;
  return result;
}

std::string_view describe(obstacle what) noexcept {
  switch (what) {
    case obstacle::none:
      return "can be followed";
    case obstacle::no_such_file:
      return "cannot be read";
    case obstacle::not_a_program:
      return "is neither an ELF program nor a script that begins with #!";
    case obstacle::statically_linked:
      return "is statically linked";
    case obstacle::foreign_machine:
      return "is not for this processor (x86-64, 64 bits)";
    case obstacle::foreign_library:
      return "is not linked with glibc";
    case obstacle::privileged:
      return "is set-uid, set-gid or has file capabilities";
    case obstacle::no_such_interpreter:
      return "has an interpreter that is not there";
    case obstacle::too_many_interpreters:
      return "has too many interpreters of interpreters";
  }
  return "";
}

}  // namespace forkloom::execution
