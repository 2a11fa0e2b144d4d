// One call of a generated program: what a process does, and what the model says of it. For
// forkloom/object_under_test.hpp, which makes them.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <type_traits>

#include "forkloom/expect.hpp"

namespace forkloom::detail {

constexpr std::size_t calls_most = 128;
constexpr std::size_t result_size_most = 64;

// What one call did, in memory that outlives its process.
struct call_slot {
  std::uint64_t invoked = 0;   // 0: never
  std::uint64_t returned = 0;  // 0: pending
  alignas(16) std::array<std::byte, result_size_most> result{};
};
struct call_log {
  std::uint64_t clock = 0;
  std::array<call_slot, calls_most> slots{};
};

// In the process: a scheduling point and an event; then the same of the response, without a point.
void call_begins(call_log& log, std::size_t slot, const std::string& words);
void call_ends(call_log& log, std::size_t slot, const void* result, std::size_t size,
               const std::string& words);

template <class Subject, class Model>
struct bound_call {
  std::string words;               // "put(1, 3)"
  std::optional<std::string> key;  // "1"; nothing if it may have to do with all keys
  std::function<void(Subject&, call_log&, std::size_t slot)> run;
  std::function<bool(Model&, const void* result)> fits;  // null: pending, whatever it would be
  std::function<std::string(const void*)> answer;        // " → 3", or nothing

  // For rapidcheck's counter-examples.
  friend void showValue(const bound_call& one, std::ostream& out) { out << one.words; }
};

template <class T>
std::string show_result(const T& value) {
  if constexpr (requires { value.has_value(); })
    return value.has_value() ? show(*value) : "nothing";
  else
    return show(value);
}

template <class... Arguments>
std::string show_arguments(const std::tuple<Arguments...>& values) {
  std::string all;
  std::apply([&](const auto&... each) { ((all += (all.empty() ? "" : ", ") + show(each)), ...); },
             values);
  return all;
}

// The call of both with these arguments.
template <class Subject, class Model, class Result, class ModelResult, class Does, class Should,
          class Values>
bound_call<Subject, Model> bind_call(const std::string& called, Does does, Should should,
                                     const Values& values) {
  bound_call<Subject, Model> made;
  made.words = called + "(" + show_arguments(values) + ")";
  const auto words = made.words;
  if constexpr (std::is_void_v<Result>) {
    made.answer = [](const void*) { return std::string{}; };
    made.run = [=](Subject& subject, call_log& log, std::size_t slot) {
      call_begins(log, slot, words);
      std::apply([&](auto... each) { (subject.*does)(each...); }, values);
      call_ends(log, slot, nullptr, 0, words);
    };
    made.fits = [=](Model& model, const void*) {
      std::apply([&](auto... each) { (model.*should)(each...); }, values);
      return true;
    };
  } else {
    using value = std::remove_cvref_t<Result>;
    static_assert(std::is_trivially_copyable_v<value> && sizeof(value) <= result_size_most,
                  "a result must be trivially copyable and at most 64 bytes, since it outlives "
                  "the process that got it");
    static_assert(
        requires(const ModelResult& one, const value& other) {
          { one == other } -> std::convertible_to<bool>;
        },
        "the model's result must be comparable with the object's: operator==");
    const auto read = [](const void* bytes) {
      value got;
      std::memcpy(&got, bytes, sizeof got);
      return got;
    };
    made.answer = [=](const void* bytes) { return " → " + show_result(read(bytes)); };
    made.run = [=](Subject& subject, call_log& log, std::size_t slot) {
      call_begins(log, slot, words);
      const value got = std::apply([&](auto... each) { return (subject.*does)(each...); }, values);
      call_ends(log, slot, &got, sizeof got, words + " → " + show_result(got));
    };
    made.fits = [=](Model& model, const void* bytes) {
      const ModelResult expected =
          std::apply([&](auto... each) { return (model.*should)(each...); }, values);
      return bytes == nullptr || expected == read(bytes);
    };
  }
  return made;
}

}  // namespace forkloom::detail
