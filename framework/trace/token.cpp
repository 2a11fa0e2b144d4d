// The text form, fields separated by '-':
//
//   fl1-SCENARIO-STRATEGY-SEED-PROCESSES-PROGRESS-STEPLIMIT-STEPS-HASH-CHECKSUM
//
// Between HASH and CHECKSUM may stand, in this order and each only if there is something to say:
//   PROGRAM, a generated program that was made smaller: "7.3.0". It begins with a digit.
//   FAULTS, the policy of time-outs and each kind of fault with its number, if they are not the
//   usual ones: "idle_kill.1_eintr.2". It begins with a letter.
//
// Numbers are lower-case hexadecimal without leading zeros, so each token has exactly one spelling.
// The strategy's ':' is written '.'. The checksum is CRC-32 over all that stands before it, its '-'
// included: it detects every burst of errors up to 32 bits, hence any changed character and any two
// neighbours that changed places; other damage slips through once in 2^32.
#include "framework/trace/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "forkloom/error.hpp"

namespace forkloom {
namespace {

constexpr std::string_view magic = "fl";
constexpr unsigned format_version = 1;
constexpr std::size_t strategy_length_max = 512;
// An explicit schedule may be long, but the token must fit a command line: Linux takes 128 KiB.
constexpr std::string_view schedule_prefix = "schedule:";
constexpr std::size_t schedule_length_max = 100'000;
constexpr std::size_t program_length_max = 4096;
constexpr std::uint32_t processes_max = 1024;
constexpr std::uint64_t step_limit_max = 900'000;

enum field : std::size_t {
  prefix_field,
  scenario_field,
  strategy_field,
  seed_field,
  processes_field,
  progress_limit_field,
  step_limit_field,
  steps_field,
  hash_field,
  optional_fields,  // here, and the checksum is the last
};

std::uint32_t crc32(std::string_view text) noexcept {
  constexpr std::uint32_t reflected_polynomial = 0xedb8'8320;
  std::uint32_t remainder = 0xffff'ffff;
  for (const char character : text) {
    remainder ^= static_cast<unsigned char>(character);
    for (int bit = 0; bit < 8; ++bit)
      remainder = (remainder >> 1) ^ ((remainder & 1U) != 0 ? reflected_polynomial : 0U);
  }
  return ~remainder;
}

bool is_strategy_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':' || c == '_';
}

bool is_strategy(std::string_view text) noexcept {
  const bool is_schedule = text.starts_with(schedule_prefix);
  return !text.empty() &&
         text.size() <= (is_schedule ? schedule_length_max : strategy_length_max) &&
         std::all_of(text.begin(), text.end(), is_strategy_character);
}

bool begins_with_digit(std::string_view text) noexcept {
  return !text.empty() && text.front() >= '0' && text.front() <= '9';
}

// Whole numbers with dots between them.
bool is_program(std::string_view text) noexcept {
  const auto part = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return text.size() <= program_length_max && std::all_of(text.begin(), text.end(), part) &&
         !text.starts_with('.') && !text.ends_with('.') &&
         text.find("..") == std::string_view::npos;
}

bool is_hexadecimal(std::string_view text) noexcept {
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return !text.empty() && (text == "0" || text.front() != '0') &&
         std::all_of(text.begin(), text.end(), digit);
}

[[noreturn]] void refuse(std::string_view token, std::string_view why) {
  constexpr std::size_t shown_max = 120;
  const bool cut = token.size() > shown_max;
  throw usage_error(fmt::format("'{}{}' {}", token.substr(0, shown_max), cut ? "…" : "", why));
}

// The version that the prefix names; nothing if this is no token.
std::optional<unsigned> version_of(std::string_view prefix) noexcept {
  if (!prefix.starts_with(magic)) return std::nullopt;
  const auto digits = prefix.substr(magic.size());
  unsigned version = 0;
  const auto end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, version);
  if (error != std::errc{} || stop != end || version == 0) return std::nullopt;
  return version;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto dash = text.find('-');
    parts.push_back(text.substr(0, dash));
    if (dash == std::string_view::npos) return parts;
    text.remove_prefix(dash + 1);
  }
}

void require_version(std::string_view token, std::string_view prefix) {
  const auto version = version_of(prefix);
  if (!version)
    refuse(token, "is not a replay token; one begins with 'fl1-' and is printed with each failure");
  if (*version > format_version)
    refuse(token, fmt::format("was made by a newer format version ({}; this forkloom reads {}): "
                              "use the forkloom that printed it",
                              *version, format_version));
}

void require_checksum(std::string_view token) {
  const auto dash = token.rfind('-');
  const auto stated = token.substr(dash + 1);
  const auto computed = fmt::format("{:x}", crc32(token.substr(0, dash + 1)));
  if (stated != computed)
    refuse(token,
           fmt::format("is damaged (checksum {}, but the rest gives {}): copy it again, whole",
                       stated.empty() ? "missing" : stated, computed));
}

// In text as in options, with '.' for ':' and '_' for ','.
std::string faults_text(const replay_token& token) {
  auto text = std::string(name(token.timeouts));
  if (!token.faults.empty()) text += "," + to_string(token.faults);
  std::replace(text.begin(), text.end(), ':', '.');
  std::replace(text.begin(), text.end(), ',', '_');
  return text;
}

bool has_faults(const replay_token& token) noexcept {
  return !token.faults.empty() || token.timeouts != timeout_policy::idle;
}

void read_faults(std::string_view whole, std::string_view text, replay_token& token) {
  std::string spelled(text);
  std::replace(spelled.begin(), spelled.end(), '.', ':');
  std::replace(spelled.begin(), spelled.end(), '_', ',');
  const auto comma = spelled.find(',');
  try {
    token.timeouts = parse_timeouts(spelled.substr(0, comma));
    if (comma != std::string::npos) token.faults = parse_faults(spelled.substr(comma + 1));
  } catch (const usage_error& error) {
    refuse(whole, fmt::format("is out of range: {}", error.what()));
  }
  if (!has_faults(token) || faults_text(token) != text)
    refuse(whole, fmt::format("is out of range: '{}' is no spelling of faults", text));
}

void read_program(std::string_view whole, std::string_view text, replay_token& token) {
  if (!is_program(text))
    refuse(whole, fmt::format("is out of range: '{}' cannot be a program", text));
  token.program = text;
}

void read_optional(std::string_view whole, std::span<const std::string_view> fields,
                   replay_token& token) {
  if (!fields.empty() && begins_with_digit(fields.front())) {
    read_program(whole, fields.front(), token);
    fields = fields.subspan(1);
  }
  if (!fields.empty()) {
    read_faults(whole, fields.front(), token);
    fields = fields.subspan(1);
  }
  if (!fields.empty())
    refuse(whole,
           fmt::format("is not a replay token: '{}' stands after its faults", fields.front()));
}

std::uint64_t number(std::string_view token, std::string_view name, std::string_view digits,
                     std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, 16);
  const bool whole = is_hexadecimal(digits) && error == std::errc{} && stop == end;
  if (!whole || value < least || value > most)
    refuse(token, fmt::format("is out of range: {} is '{}' (hexadecimal), allowed {:x} … {:x}",
                              name, digits, least, most));
  return value;
}

std::string strategy(std::string_view token, std::string_view text) {
  std::string name(text);
  std::replace(name.begin(), name.end(), '.', ':');
  if (!is_strategy(name))
    refuse(token, fmt::format("is out of range: '{}' cannot be a strategy", text));
  return name;
}

}  // namespace

// FNV-1a: short, and the same on every machine.
std::uint32_t scenario_hash(std::string_view name) noexcept {
  constexpr std::uint32_t offset_basis = 0x811c'9dc5;
  constexpr std::uint32_t prime = 0x0100'0193;
  std::uint32_t hash = offset_basis;
  for (const char character : name) hash = (hash ^ static_cast<unsigned char>(character)) * prime;
  return hash;
}

std::string encode(const replay_token& token) {
  if (!is_strategy(token.strategy))
    throw internal_error(
        fmt::format("strategy '{}' cannot be written into a replay token: at most "
                    "{} lower-case letters, digits, ':' and '_'",
                    token.strategy, strategy_length_max));
  auto strategy_text = token.strategy;
  std::replace(strategy_text.begin(), strategy_text.end(), ':', '.');
  auto text = fmt::format("{}{}-{:x}-{}-{:x}-{:x}-{:x}-{:x}-{:x}-{:x}-", magic, format_version,
                          token.scenario, strategy_text, token.seed, token.processes,
                          token.progress_limit, token.step_limit, token.steps, token.hash);
  if (!is_program(token.program))
    throw internal_error(fmt::format("'{}' is no generated program for a token", token.program));
  if (!token.program.empty()) text += token.program + "-";
  if (has_faults(token)) text += faults_text(token) + "-";
  text += fmt::format("{:x}", crc32(text));
  return text;
}

replay_token decode(std::string_view text) {
  const auto parts = split(text);
  require_version(text, parts.front());
  require_checksum(text);
  constexpr std::size_t fewest = optional_fields + 1;
  if (parts.size() < fewest || parts.size() > fewest + 2)
    refuse(text, fmt::format("is not a replay token: it has {} fields instead of {}", parts.size(),
                             fewest));

  constexpr auto any64 = std::numeric_limits<std::uint64_t>::max();
  constexpr auto any32 = std::numeric_limits<std::uint32_t>::max();
  const auto field = [&](std::size_t which, std::string_view name, std::uint64_t least,
                         std::uint64_t most) {
    return number(text, name, parts[which], least, most);
  };
  replay_token token;
  token.scenario = static_cast<std::uint32_t>(field(scenario_field, "the scenario", 0, any32));
  token.strategy = strategy(text, parts[strategy_field]);
  token.seed = field(seed_field, "the seed", 0, any64);
  token.processes = static_cast<std::uint32_t>(
      field(processes_field, "the number of processes", 1, processes_max));
  token.progress_limit = field(progress_limit_field, "the progress limit", 1, any64);
  token.step_limit = field(step_limit_field, "the step limit", 1, step_limit_max);
  token.steps = field(steps_field, "the number of steps", 0, any64);
  token.hash = field(hash_field, "the trace hash", 0, any64);
  read_optional(text, std::span(parts).subspan(optional_fields, parts.size() - fewest), token);
  return token;
}

}  // namespace forkloom
