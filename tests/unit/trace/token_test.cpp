#include "framework/trace/token.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>

#include "forkloom/error.hpp"
#include "tests/catch.hpp"

namespace {

using forkloom::decode;
using forkloom::encode;
using forkloom::replay_token;

replay_token sample() {
  return {.scenario = forkloom::scenario_hash("two tellers"),
          .strategy = "pct:3:120",
          .seed = 0x0123'4567'89ab'cdef,
          .processes = 2,
          .progress_limit = 20'000,
          .step_limit = 900'000,
          .steps = 41,
          .hash = 0xfedc'ba98'7654'3210};
}

std::string refusal(const std::string& text) {
  try {
    (void)decode(text);
  } catch (const forkloom::usage_error& error) {
    return error.what();
  }
  return "accepted";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Any token within the ranges, with extreme values not rare.
replay_token any_token() {
  const auto wide = rc::gen::oneOf(rc::gen::arbitrary<std::uint64_t>(),
                                   rc::gen::element<std::uint64_t>(0, 1, ~std::uint64_t{0}));
  const std::string strategies[] = {"random", "pct:1", "pct:32:4294967295", "p_o_s:0"};
  replay_token token;
  token.scenario = *rc::gen::arbitrary<std::uint32_t>();
  token.strategy =
      *rc::gen::elementOf(std::vector<std::string>(std::begin(strategies), std::end(strategies)));
  token.seed = *wide;
  token.processes = *rc::gen::inRange<std::uint32_t>(1, 1025);
  token.progress_limit = std::max<std::uint64_t>(1, *wide);
  token.step_limit = *rc::gen::inRange<std::uint64_t>(1, 900'001);
  token.steps = *wide;
  token.hash = *wide;
  token.program = *rc::gen::element<std::string>("", "7", "7.3.0", "18446744073709551615.12");
  return token;
}

}  // namespace

TEST_CASE("a decoded token equals the one that was encoded", "[token]") {
  REQUIRE(rc::check([] {
    const auto token = any_token();
    RC_ASSERT(decode(encode(token)) == token);
  }));
}

TEST_CASE("a token is made of characters that no shell or log touches", "[token]") {
  REQUIRE(rc::check([] {
    const auto text = encode(any_token());
    RC_ASSERT(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_") ==
              std::string::npos);
  }));
}

TEST_CASE("a program that is none is refused, and not written", "[token]") {
  for (const auto* program : {".7", "7.", "7..3", "x"}) {
    auto token = sample();
    token.program = program;
    CHECK_THROWS_AS((void)encode(token), forkloom::internal_error);
  }
  auto token = sample();
  token.program = "7.3";
  const auto text = encode(token);
  CHECK(contains(text, "-7.3-"));
}

TEST_CASE("the text of a token does not change between versions of the program", "[token]") {
  CHECK(encode(sample()) ==
        "fl1-194f6edc-pct.3.120-123456789abcdef-2-4e20-dbba0-29-fedcba9876543210-7665009a");
}

TEST_CASE("any single changed character makes a token unacceptable", "[token]") {
  const auto text = encode(sample());
  const std::string alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_ ";
  for (std::size_t at = 0; at < text.size(); ++at)
    for (const char other : alphabet) {
      if (other == text[at]) continue;
      auto damaged = text;
      damaged[at] = other;
      INFO(damaged);
      CHECK(refusal(damaged) != "accepted");
    }
}

TEST_CASE("a token with faults or another policy of time-outs has a field for them", "[token]") {
  auto token = sample();
  token.faults = forkloom::parse_faults("kill:1,eintr:2");
  CHECK(contains(encode(token), "-fedcba9876543210-idle_kill.1_eintr.2-"));
  CHECK(decode(encode(token)) == token);
  token.timeouts = forkloom::timeout_policy::race;
  CHECK(contains(encode(token), "-race_kill.1_eintr.2-"));
  CHECK(decode(encode(token)) == token);
  token.faults = {};
  CHECK(contains(encode(token), "-race-"));
  CHECK(decode(encode(token)) == token);
  token.program = "7.3.0";
  CHECK(contains(encode(token), "-7.3.0-race-"));
  CHECK(decode(encode(token)) == token);
}

namespace {

// A token with that field of faults, and a checksum that is right.
std::string with_faults_field(const std::string& text) {
  auto token = sample();
  token.timeouts = forkloom::timeout_policy::never;
  auto whole = encode(token);
  whole = whole.substr(0, whole.rfind("never")) + text + "-";
  std::uint32_t crc = 0xffff'ffff;
  for (const char c : whole) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb8'8320U : 0U);
  }
  std::ostringstream digits;
  digits << std::hex << ~crc;
  return whole + digits.str();
}

}  // namespace

TEST_CASE("a field of faults has one spelling", "[token]") {
  CHECK(refusal(with_faults_field("never")) == "accepted");
  CHECK(refusal(with_faults_field("idle_kill.1")) == "accepted");
  for (const auto* text : {"idle", "idle_kill", "kill.1", "idle_eintr.1_kill.1", "idle_kill.01",
                           "idle_kill.0", "sometimes", "idle_luck.1", "", "7..3"}) {
    INFO(text);
    CHECK(contains(refusal(with_faults_field(text)), "is out of range"));
  }
}

TEST_CASE("any two exchanged characters make a token unacceptable", "[token]") {
  const auto text = encode(sample());
  for (std::size_t a = 0; a < text.size(); ++a)
    for (std::size_t b = a + 1; b < text.size(); ++b) {
      if (text[a] == text[b]) continue;
      auto damaged = text;
      std::swap(damaged[a], damaged[b]);
      INFO(damaged);
      CHECK(refusal(damaged) != "accepted");
    }
}

TEST_CASE("a token that lost or gained a character is damaged", "[token]") {
  const auto text = encode(sample());
  for (std::size_t at = 4; at < text.size(); ++at) {
    INFO(at);
    CHECK(contains(refusal(std::string(text).erase(at, 1)), "is damaged (checksum"));
    CHECK(contains(refusal(std::string(text).insert(at, 1, '7')), "is damaged (checksum"));
  }
}

TEST_CASE("text that is no token at all is told so", "[token]") {
  for (const auto* text :
       {"", "-", "hello", "two tellers", "fl", "fl-1", "fl0-1", "flx-1", "FL1-1-2"}) {
    INFO(text);
    CHECK(contains(refusal(text), "is not a replay token"));
  }
}

TEST_CASE("a token of a newer format says that it is newer", "[token]") {
  const auto message = refusal("fl2-anything.new-may_come");
  CHECK(contains(message, "made by a newer format version (2; this forkloom reads 1)"));
}

TEST_CASE("a damaged token says what the checksum is and what it should be", "[token]") {
  auto text = encode(sample());
  const auto stated = text.substr(text.rfind('-') + 1);
  text[6] = text[6] == '1' ? '2' : '1';
  CHECK(contains(refusal(text), "is damaged (checksum " + stated + ", but the rest gives "));
}

TEST_CASE("a very long text is not repeated whole in the error", "[token]") {
  CHECK(refusal(std::string(100'000, 'x')).size() < 400);
}

// encode() does not judge numbers, so it can make tokens whose checksum is right and a field wrong.
TEST_CASE("a field out of range is named with its limits", "[token]") {
  auto token = sample();
  SECTION("no processes") {
    token.processes = 0;
    CHECK(contains(refusal(encode(token)),
                   "the number of processes is '0' (hexadecimal), allowed 1 … 400"));
  }
  SECTION("too many processes") {
    token.processes = 1025;
    CHECK(contains(refusal(encode(token)), "the number of processes is '401'"));
  }
  SECTION("no progress limit") {
    token.progress_limit = 0;
    CHECK(contains(refusal(encode(token)), "the progress limit is '0'"));
  }
  SECTION("no step limit") {
    token.step_limit = 0;
    CHECK(contains(refusal(encode(token)), "the step limit is '0'"));
  }
  SECTION("a step limit beyond what an execution can record") {
    token.step_limit = 900'001;
    CHECK(contains(refusal(encode(token)), "the step limit is 'dbba1'"));
  }
}

TEST_CASE("a strategy that has no spelling in a token is refused when encoding", "[token]") {
  auto token = sample();
  for (const auto& name : {std::string{}, std::string{"a-b"}, std::string{"a.b"},
                           std::string{"Random"}, std::string{"a b"}, std::string(513, 'a')}) {
    token.strategy = name;
    INFO(name);
    CHECK_THROWS_AS(encode(token), forkloom::internal_error);
  }
}

TEST_CASE("the hash of a scenario depends on its name alone", "[token]") {
  // Values of FNV-1a, 32 bits, from its specification.
  CHECK(forkloom::scenario_hash("") == 0x811c9dc5);
  CHECK(forkloom::scenario_hash("a") == 0xe40c292c);
  CHECK(forkloom::scenario_hash("foobar") == 0xbf9cf968);
}
