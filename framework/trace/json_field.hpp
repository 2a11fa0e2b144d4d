// Reading JSON that others may have written: each function throws usage_error, saying which value
// is missing, of the wrong type or out of range. Those named …_at read a member of an object; for
// the others `where` is the name that an error gives the value.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "forkloom/error.hpp"

namespace forkloom::json_field {

using nlohmann::json;

[[noreturn]] inline void refuse(std::string_view where, std::string_view why) {
  throw usage_error(fmt::format("\"{}\" {}", where, why));
}

[[nodiscard]] inline const json& at(const json& object, const char* key) {
  if (!object.is_object()) refuse(key, "is looked for in something that is not an object");
  const auto found = object.find(key);
  if (found == object.end()) refuse(key, "is missing");
  return *found;
}

// Unlike json::get it does not wrap around.
template <class Integer>
[[nodiscard]] Integer integer(const json& value, std::string_view where) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<Integer>(number)) return static_cast<Integer>(number);
  }
  using range = std::numeric_limits<Integer>;
  refuse(where, fmt::format("must be a whole number in {} … {}", range::min(), range::max()));
}
template <class Integer>
[[nodiscard]] Integer integer_at(const json& object, const char* key) {
  return integer<Integer>(at(object, key), std::string_view(key));
}

[[nodiscard]] inline std::string text(const json& value, std::string_view where) {
  if (!value.is_string()) refuse(where, "must be a string");
  return value.get<std::string>();
}
[[nodiscard]] inline std::string text_at(const json& object, const char* key) {
  return text(at(object, key), std::string_view(key));
}

[[nodiscard]] inline bool boolean_at(const json& object, const char* key) {
  const auto& value = at(object, key);
  if (!value.is_boolean()) refuse(key, "must be true or false");
  return value.get<bool>();
}

[[nodiscard]] inline double real_at(const json& object, const char* key) {
  const auto& value = at(object, key);
  if (!value.is_number()) refuse(key, "must be a number");
  return value.get<double>();
}

[[nodiscard]] inline const json& array_at(const json& object, const char* key) {
  const auto& value = at(object, key);
  if (!value.is_array()) refuse(key, "must be an array");
  return value;
}

// Each element of an array, read by `read(element)`.
template <class Read>
[[nodiscard]] auto elements_at(const json& object, const char* key, Read read) {
  const auto& values = array_at(object, key);
  std::vector<std::decay_t<decltype(read(values))>> result;
  result.reserve(values.size());
  for (const auto& value : values) result.push_back(read(value));
  return result;
}

// The enumerator whose number is the position of the value among `names`.
template <class Enumeration>
[[nodiscard]] Enumeration named(const json& value, std::string_view where,
                                std::span<const std::string_view> names) {
  const auto wanted = text(value, where);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == wanted) return static_cast<Enumeration>(i);
  refuse(where, fmt::format("is '{}', but must be one of: {}", wanted, fmt::join(names, ", ")));
}
template <class Enumeration>
[[nodiscard]] Enumeration named_at(const json& object, const char* key,
                                   std::span<const std::string_view> names) {
  return named<Enumeration>(at(object, key), key, names);
}

}  // namespace forkloom::json_field
