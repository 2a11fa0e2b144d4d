#include "framework/execution/open_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "framework/execution/event_source.hpp"
#include "framework/execution/mappings.hpp"

namespace forkloom::execution {
namespace {

namespace fs = std::filesystem;

// One line of proc(5)'s fdinfo: "lock: 1: POSIX  ADVISORY  WRITE 17 00:1b:910 10 14".
std::optional<proc_lock> lock_in(const std::string& line) {
  std::istringstream words(line);
  proc_lock found;
  std::string title, number, advisory, type, pid, inode, last;
  words >> title >> number >> found.sort >> advisory >> type >> pid >> inode >> found.range.first >>
      last;
  if (title != "lock:" || !words) return std::nullopt;
  found.shared = type == "READ";
  if (last != "EOF") found.range.last = std::stoull(last);
  return found;
}

}  // namespace

std::optional<int> open_mode(pid_t pid, std::uint64_t object) {
  bool reads = false;
  bool writes = false;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) != 0) continue;
    if (object_of(status.st_dev, status.st_ino) != object) continue;
    const auto number = entry.path().filename().string();
    std::ifstream info(fmt::format("/proc/{}/fdinfo/{}", pid, number));
    std::string word;
    while (info >> word && word != "flags:") continue;
    int flags = 0;
    info >> std::oct >> flags;
    reads |= (flags & O_ACCMODE) != O_WRONLY;
    writes |= (flags & O_ACCMODE) != O_RDONLY;
  }
  if (reads && writes) return O_RDWR;
  if (writes) return O_WRONLY;
  if (reads) return O_RDONLY;
  return std::nullopt;
}

bool has_open(pid_t pid, const resource& source) {
  const auto sort = sort_of(source);
  const std::string_view link = sort == event_source::eventfd   ? "anon_inode:[eventfd]"
                                : sort == event_source::timerfd ? "anon_inode:[timerfd]"
                                                                : "anon_inode:[eventpoll]";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
    if (fs::read_symlink(entry.path(), error) != link) continue;
    if (sort != event_source::eventfd || source.model[0] == 0) return true;
    std::ifstream info(fmt::format("/proc/{}/fdinfo/{}", pid, entry.path().filename().string()));
    std::string word;
    while (info >> word && word != "eventfd-id:") continue;
    std::uint64_t number = 0;
    if (info >> number && number == source.model[0]) return true;
  }
  return false;
}

void for_each_lock(pid_t pid, std::uint64_t object,
                   const std::function<void(const proc_lock&)>& visit) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) != 0) continue;
    if (object_of(status.st_dev, status.st_ino) != object) continue;
    std::ifstream info(fmt::format("/proc/{}/fdinfo/{}", pid, entry.path().filename().string()));
    for (std::string line; std::getline(info, line);)
      if (const auto lock = lock_in(line)) visit(*lock);
  }
}

}  // namespace forkloom::execution
