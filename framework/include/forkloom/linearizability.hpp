// Small programs made at random, run on an object by several processes at once, and judged by a
// sequential model of the object:
//
//   struct cell_model {
//     long value = 0;
//     void write(long v) { value = v; }
//     long read() { return value; }
//     bool operator==(const cell_model&) const = default;
//   };
//
//   FORKLOOM_SCENARIO("a cell", "[cell]") {
//     auto& memory = scenario.shared<long>("memory");
//     forkloom::object_under_test<cell, cell_model> object("cell");
//     object.opened_by([&](forkloom::process&) { return cell(memory); });
//     object.operation("write", &cell::write, &cell_model::write, rc::gen::inRange(1L, 9L));
//     object.operation("read", &cell::read, &cell_model::read);
//     forkloom::run_programs(scenario, object, {.processes = 2, .operations = 3});
//   }
//
// Results must be void or trivially copyable, at most 64 bytes, and have operator==. What the model
// throws, and a history that cannot be judged, is an error of the campaign, never a silent success.
#pragma once

#include <rapidcheck.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "forkloom/error.hpp"
#include "forkloom/expect.hpp"
#include "forkloom/history.hpp"
#include "forkloom/scenario.hpp"
#include "forkloom/state_table.hpp"

namespace forkloom {

// How large the programs are. An execution's seed decides which program it runs and how, so a
// replay token brings back both.
struct program_size {
  unsigned processes = 2;   // at least 1; processes × operations is at most 128
  unsigned operations = 3;  // of each process, at most; at least 1
  unsigned programs = 16;   // so many different ones; each is run under many schedules
  consistency wanted = consistency::linearizable;
};

namespace detail {

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

struct planned_call {
  unsigned process = 0;
  std::string words;                               // "write(3)"
  std::function<std::string(const void*)> answer;  // " → 3", or nothing
};

struct program_judge {
  std::string object;
  std::vector<planned_call> calls;  // by slot
  consistency wanted = consistency::linearizable;
};

// In the scenario, when all processes have ended.
void judge_program(scenario& where, const call_log& log, const program_judge& program,
                   sequential_model& model);

// Which program it is: a number that follows from the execution's seed.
[[nodiscard]] std::uint64_t program_number(scenario& where, const program_size& size);

template <class Subject, class Model>
struct bound_call {
  std::string words;
  std::function<void(Subject&, call_log&, std::size_t slot)> run;
  std::function<bool(Model&, const void* result)> fits;  // null: pending, whatever it would be
  std::function<std::string(const void*)> answer;
};

template <class Subject, class Model>
using process_program = std::vector<bound_call<Subject, Model>>;

// The user's model behind the interface of the search.
template <class Subject, class Model>
class modelled : public sequential_model {
 public:
  modelled(std::string object, const Model& initial,
           const std::vector<bound_call<Subject, Model>>& calls, const call_log& log)
      : object_(std::move(object)),
        initial_(states_.number_of(initial)),
        calls_(calls),
        log_(log) {}

  state initial() override { return initial_; }

  std::optional<state> after(state before, const recorded_call& c) override {
    auto model = states_[before];
    const auto& call = calls_[c.operation];
    const void* result = c.pending ? nullptr : log_.slots.at(c.operation).result.data();
    try {
      if (!call.fits(model, result)) return std::nullopt;
    } catch (const std::exception& error) {
      throw std::runtime_error("the model of " + object_ + " threw in " + call.words + ": " +
                               error.what());
    }
    return states_.number_of(model);
  }

 private:
  std::string object_;
  state_table<Model> states_;
  state initial_;
  const std::vector<bound_call<Subject, Model>>& calls_;
  const call_log& log_;
};

}  // namespace detail

// An object as a process sees it (Subject), and as it would be for one process alone (Model).
template <class Subject, class Model>
class object_under_test {
  static_assert(comparable_state<Model>,
                "the model needs a copy constructor and operator==, so that the search knows a "
                "state again: bool operator==(const Model&) const = default;");

 public:
  using call = detail::bound_call<Subject, Model>;

  explicit object_under_test(std::string name, Model initial = {})
      : name_(std::move(name)), initial_(std::move(initial)) {}

  // How a process comes by the object, before its first call.
  void opened_by(std::function<Subject(process&)> open) { open_ = std::move(open); }

  // An operation of both, and a generator for each of its arguments.
  template <class Result, class ModelResult, class... Arguments, class... ModelArguments>
  void operation(const std::string& called, Result (Subject::*does)(Arguments...),
                 ModelResult (Model::*should)(ModelArguments...),
                 rc::Gen<std::decay_t<Arguments>>... arguments) {
    operations_.push_back(rc::gen::map(rc::gen::tuple(std::move(arguments)...),
                                       [=](const std::tuple<std::decay_t<Arguments>...>& values) {
                                         return bind<Result, ModelResult>(called, does, should,
                                                                          values);
                                       }));
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Model& initial() const { return initial_; }
  [[nodiscard]] const std::function<Subject(process&)>& open() const { return open_; }

  // Programs of so many processes, with `operations` calls each.
  [[nodiscard]] rc::Gen<std::vector<std::vector<call>>> programs(unsigned processes,
                                                                 unsigned operations) const {
    auto any = rc::gen::join(rc::gen::elementOf(operations_));
    return rc::gen::container<std::vector<std::vector<call>>>(
        processes, rc::gen::container<std::vector<call>>(operations, std::move(any)));
  }

  // Throws usage_error if it is not complete.
  void require_complete() const {
    if (!open_) throw usage_error("object \"" + name_ + "\": say how it is opened: opened_by()");
    if (operations_.empty()) throw usage_error("object \"" + name_ + "\" has no operation()");
  }

 private:
  template <class Result, class ModelResult, class Does, class Should, class Values>
  static call bind(const std::string& called, Does does, Should should, const Values& values) {
    call made;
    made.words = called + "(" +
                 std::apply(
                     [](const auto&... each) {
                       std::string all;
                       ((all += (all.empty() ? "" : ", ") + detail::show(each)), ...);
                       return all;
                     },
                     values) +
                 ")";
    const auto words = made.words;
    if constexpr (std::is_void_v<Result>) {
      made.answer = [](const void*) { return std::string{}; };
      made.run = [=](Subject& subject, detail::call_log& log, std::size_t slot) {
        detail::call_begins(log, slot, words);
        std::apply([&](auto... each) { (subject.*does)(each...); }, values);
        detail::call_ends(log, slot, nullptr, 0, words);
      };
      made.fits = [=](Model& model, const void*) {
        std::apply([&](auto... each) { (model.*should)(each...); }, values);
        return true;
      };
    } else {
      using value = std::remove_cvref_t<Result>;
      static_assert(
          std::is_trivially_copyable_v<value> && sizeof(value) <= detail::result_size_most,
          "a result must be trivially copyable and at most 64 bytes, since it outlives "
          "the process that got it");
      const auto read = [](const void* bytes) {
        value got;
        std::memcpy(&got, bytes, sizeof got);
        return got;
      };
      made.answer = [=](const void* bytes) { return " → " + shown(read(bytes)); };
      made.run = [=](Subject& subject, detail::call_log& log, std::size_t slot) {
        detail::call_begins(log, slot, words);
        const value got =
            std::apply([&](auto... each) { return (subject.*does)(each...); }, values);
        detail::call_ends(log, slot, &got, sizeof got, words + " → " + shown(got));
      };
      made.fits = [=](Model& model, const void* bytes) {
        const ModelResult expected =
            std::apply([&](auto... each) { return (model.*should)(each...); }, values);
        return bytes == nullptr || expected == read(bytes);
      };
    }
    return made;
  }

  template <class T>
  static std::string shown(const T& value) {
    if constexpr (requires { value.has_value(); })
      return value.has_value() ? detail::show(*value) : "nothing";
    else
      return detail::show(value);
  }

  std::string name_;
  Model initial_;
  std::function<Subject(process&)> open_;
  std::vector<rc::Gen<call>> operations_;
};

// In a scenario's body, as its last statement: makes the execution's program, runs it in processes
// called "client", and judges what they saw. Throws usage_error if the programs would be too large.
template <class Subject, class Model>
void run_programs(scenario& where, const object_under_test<Subject, Model>& object,
                  const program_size& size = {}) {
  using call = typename object_under_test<Subject, Model>::call;
  object.require_complete();
  const auto number = detail::program_number(where, size);
  const auto program = object.programs(size.processes, size.operations)(rc::Random(number)).value();
  auto& log = where.make<detail::call_log>("calls");
  std::vector<call> calls;
  detail::program_judge judge{.object = object.name(), .calls = {}, .wanted = size.wanted};
  for (unsigned p = 0; p < program.size(); ++p)
    for (const auto& one : program[p]) {
      calls.push_back(one);
      judge.calls.push_back({p, one.words, one.answer});
    }
  where.processes("client", size.processes, [&](process& self) {
    Subject subject = object.open()(self);
    auto slot = std::size_t{self.index()} * size.operations;
    for (const auto& one : program[self.index()]) one.run(subject, log, slot++);
  });
  where.finally([&] {
    detail::modelled<Subject, Model> model(object.name(), object.initial(), calls, log);
    detail::judge_program(where, log, judge, model);
  });
}

}  // namespace forkloom
