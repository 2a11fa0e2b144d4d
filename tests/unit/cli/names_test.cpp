#include "framework/cli/names.hpp"

#include "tests/catch.hpp"

using namespace forkloom;

TEST_CASE("edit distance counts insertions, deletions and replacements", "[cli]") {
  CHECK(cli::edit_distance("", "") == 0);
  CHECK(cli::edit_distance("", "abc") == 3);
  CHECK(cli::edit_distance("abc", "") == 3);
  CHECK(cli::edit_distance("kitten", "sitting") == 3);
  CHECK(cli::edit_distance("flaw", "lawn") == 2);
}

TEST_CASE("the closest names are offered first, at most three", "[cli]") {
  const std::vector<std::string> names{"pong", "ping pong", "pin", "ping", "zebra"};
  CHECK(cli::close_names("ping", names) == std::vector<std::string>{"ping", "pin", "pong"});
  CHECK(cli::close_names("unrelated", names).empty());
  CHECK(cli::close_names("", names).empty());
}

TEST_CASE("a part of a name is close to it, however long the rest", "[cli]") {
  const std::vector<std::string> names{"two tellers deposit into one account"};
  CHECK(cli::close_names("deposit", names).size() == 1);
  CHECK(cli::close_names("de", names).empty());
}

TEST_CASE("a suggestion is a question, and none is nothing", "[cli]") {
  CHECK(cli::did_you_mean("lst", std::vector<std::string>{"list"}) == " Did you mean 'list'?");
  CHECK(cli::did_you_mean("lst", std::vector<std::string>{"list", "last"}) ==
        " Did you mean 'last' or 'list'?");
  CHECK(cli::did_you_mean("lst", {}).empty());
}
