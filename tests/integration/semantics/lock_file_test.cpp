// Names that only one process can make, and so serve as locks.
#include <cstdio>

#include "tests/integration/semantics/peers.hpp"

namespace {

using namespace forkloom::semantics;

// A file beside the name, to make links to.
struct linkable : named {
  static constexpr const char* source = "/dev/shm/forkloom-link-source";
  linkable() { ::close(::open(source, O_CREAT | O_WRONLY, 0600)); }
  linkable(const linkable&) = delete;
  linkable& operator=(const linkable&) = delete;
  ~linkable() { ::unlink(source); }
};

// Two processes make the same name at the same time; how many could?
template <class Make, class Remove>
void only_one_can(Make /*a name*/, Remove /*takes it away*/) {
  const auto seen = both<linkable>({
      [](linkable& w) {
        w.note(0, 0);
        const auto made = Make{}(w.path.data());
        w.note(1, made < 0 ? errno : 0);
        while (w.seen[2] == notes::nothing) usleep(1000);
        w.note(3, w.seen[1] + w.seen[2]);
        w.note(1, 0);
        w.note(2, 0);
        Remove{}(w.path.data());
      },
      [](linkable& w) {
        const auto made = Make{}(w.path.data());
        w.note(2, made < 0 ? errno : 0);
      },
  });
  CHECK(seen[3] == EEXIST);
}

std::string left_path;

void leave_a_lock_file(forkloom::scenario& scenario) {
  scenario.process("user",
                   [] { close(open(left_path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0600)); });
}

}  // namespace

TEST_CASE("a lock file that is left behind in any directory is told, and removed") {
  left_path = "/tmp/forkloom-left-" + std::to_string(getpid());
  forkloom::scenario_info info{.name = "leaves",
                               .tags = {},
                               .file = __FILE__,
                               .line = __LINE__,
                               .body = &leave_a_lock_file,
                               .defaults = {}};
  info.defaults.executions = 1;
  info.defaults.expects = {forkloom::violation_kind::leak};
  const auto result = forkloom::explore::run_campaign(info, info.defaults);
  CHECK(result.how == forkloom::explore::verdict::as_expected);
  REQUIRE(result.findings.size() == 1);
  CHECK(result.findings[0].violations[0].resource == left_path.substr(5));
  CHECK(access(left_path.c_str(), F_OK) != 0);
}

TEST_CASE("of two processes that make the same name one is told EEXIST") {
  SECTION("open with O_EXCL") {
    only_one_can([](const char* path) { return open(path, O_CREAT | O_EXCL | O_RDWR, 0600); },
                 [](const char* path) { return unlink(path); });
  }
  SECTION("link") {
    only_one_can([](const char* path) { return link(linkable::source, path); },
                 [](const char* path) { return unlink(path); });
  }
  SECTION("symlink") {
    only_one_can([](const char* path) { return symlink("nowhere", path); },
                 [](const char* path) { return remove(path); });
  }
  SECTION("mkdir") {
    only_one_can([](const char* path) { return mkdir(path, 0700); },
                 [](const char* path) { return rmdir(path); });
  }
}

TEST_CASE("a lock file can be made again after it was unlinked") {
  const auto seen = both<named>({[](named& w) {
    const auto make = [&] { return open(w.path.data(), O_CREAT | O_EXCL | O_RDWR, 0600); };
    w.note_error(0, make());
    w.note_error(1, make());
    w.note_error(2, unlink(w.path.data()));
    w.note_error(3, make());
    unlink(w.path.data());
  }});
  CHECK(seen[0] == 0);
  CHECK(seen[1] == EEXIST);
  CHECK(seen[2] == 0);
  CHECK(seen[3] == 0);
}

TEST_CASE("a rename takes a name to another place, over what is there or not") {
  const auto seen = both<named>({[](named& w) {
    const auto other = std::string(w.path.data()) + ".new";
    const auto make = [](const char* path) { close(open(path, O_CREAT | O_WRONLY, 0600)); };
    make(w.path.data());
    make(other.c_str());
    w.note_error(0, renameat2(AT_FDCWD, other.c_str(), AT_FDCWD, w.path.data(), RENAME_NOREPLACE));
    w.note_error(1, rename(other.c_str(), w.path.data()));
    w.note_error(2, rename(other.c_str(), w.path.data()));
    w.note_error(3, renameat(AT_FDCWD, w.path.data(), AT_FDCWD, other.c_str()));
    w.note_error(4, access(w.path.data(), F_OK));
    unlink(other.c_str());
  }});
  CHECK(seen[0] == EEXIST);
  CHECK(seen[1] == 0);
  CHECK(seen[2] == ENOENT);
  CHECK(seen[3] == 0);
  CHECK(seen[4] == ENOENT);
}

TEST_CASE("a name that cannot be made or taken away says why") {
  const auto seen = both<named>({[](named& w) {
    const auto below = std::string(w.path.data()) + "/below";
    w.note_error(0, open(below.c_str(), O_CREAT | O_EXCL, 0600));
    w.note_error(1, mkdir(below.c_str(), 0700));
    w.note_error(2, link(below.c_str(), w.path.data()));
    w.note_error(3, rename("", w.path.data()));
    w.note_error(4, rmdir(w.path.data()));
    mkdir(w.path.data(), 0700);
    w.note_error(5, mkdirat(AT_FDCWD, below.c_str(), 0700));
    w.note_error(6, rmdir(w.path.data()));
    w.note_error(7, unlinkat(AT_FDCWD, below.c_str(), AT_REMOVEDIR));
    w.note_error(8, rmdir(w.path.data()));
    const auto* nowhere = unseen(reinterpret_cast<const char*>(8));
    w.note_error(9, mkdir(nowhere, 0700));
    w.note_error(10, open(nowhere, O_CREAT | O_EXCL, 0600));
    const std::string too_long(5000, 'x');
    w.note_error(11, open(too_long.c_str(), O_CREAT | O_EXCL, 0600));
  }});
  for (const auto slot : {0U, 1U, 2U, 3U, 4U}) CHECK(seen[slot] == ENOENT);
  CHECK(seen[5] == 0);
  CHECK(seen[6] == ENOTEMPTY);
  CHECK(seen[7] == 0);
  CHECK(seen[8] == 0);
  CHECK(seen[9] == EFAULT);
  CHECK(seen[10] == EFAULT);
  CHECK(seen[11] == ENAMETOOLONG);
}
