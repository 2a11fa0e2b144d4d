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
// A program that fails is made smaller before it is reported.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "forkloom/history.hpp"
#include "forkloom/object_under_test.hpp"

namespace forkloom {

// How a program's history is judged.
struct program_judging {
  consistency wanted = consistency::linearizable;
  // A process that is killed is no violation, and its last call may have taken effect or not.
  bool may_be_killed = false;
  // The search gives up, with an error, after so many; see docs/linearizability.md.
  std::uint64_t configurations_max = 4'000'000;
};

// How large the programs are. An execution's seed decides which program it runs and how, so a
// replay token brings back both.
struct program_size {
  unsigned processes = 2;   // at least 1; processes × operations is at most 128
  unsigned operations = 3;  // of each process; at least 1
  unsigned programs = 16;   // so many different ones; each is run under many schedules
  program_judging judged = {};
};

namespace detail {

struct planned_call {
  unsigned process = 0;
  std::string words;
  std::optional<std::string> key;
  std::function<std::string(const void*)> answer;
};

struct program_judge {
  std::string object;
  std::vector<planned_call> calls;  // by slot
  program_judging how;
};

// Which program an execution runs: that of a number, or one that rapidcheck shrinks it to.
struct program_name {
  std::uint64_t number = 0;
  std::vector<std::size_t> shrinks;
};

// Throws usage_error if the programs would be too large.
[[nodiscard]] program_name chosen_program(scenario& where, const program_size& size);

// There is no program of that name: the scenario runs nothing.
void no_such_program(scenario& where);

// Throws usage_error if there are no calls, or too many.
void require_judgeable(const program_judge& program);

// In the scenario, when all processes have ended.
void judge_program(scenario& where, const call_log& log, const program_judge& program,
                   sequential_model& model);

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
    const auto threw = [&](const std::string& what) {
      return std::runtime_error("the model of " + object_ + " threw in " + call.words + ": " +
                                what);
    };
    try {
      if (!call.fits(model, result)) return std::nullopt;
    } catch (const std::exception& error) {
      throw threw(error.what());
    } catch (...) {
      throw threw("what is no std::exception");
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

// In a scenario's body, as its last statement: runs the program in processes called "client", and
// judges what they saw. Throws usage_error if it has more than 128 calls.
template <class Subject, class Model>
void run_program(scenario& where, const object_under_test<Subject, Model>& object,
                 const generated_program<Subject, Model>& program,
                 const program_judging& judged = {}) {
  object.require_opened();
  std::vector<detail::bound_call<Subject, Model>> calls;
  std::vector<std::size_t> first;  // slot of each process
  detail::program_judge judge{.object = object.name(), .calls = {}, .how = judged};
  for (unsigned p = 0; p < program.size(); ++p) {
    first.push_back(calls.size());
    for (const auto& one : program[p]) {
      calls.push_back(one);
      judge.calls.push_back({p, one.words, one.key, one.answer});
    }
  }
  detail::require_judgeable(judge);
  auto& log = where.make<detail::call_log>("calls");
  const auto count = static_cast<unsigned>(program.size());
  auto clients = where.processes("client", count, [&](process& self) {
    Subject subject = object.open()(self);
    auto slot = first[self.index()];
    for (const auto& one : program[self.index()]) one.run(subject, log, slot++);
  });
  if (judged.may_be_killed) clients.may_die_of(SIGKILL);
  where.finally([&] {
    detail::modelled<Subject, Model> model(object.name(), object.initial(), calls, log);
    detail::judge_program(where, log, judge, model);
  });
}

// The same with the program that belongs to the execution. Throws usage_error if the programs would
// be too large.
template <class Subject, class Model>
void run_programs(scenario& where, const object_under_test<Subject, Model>& object,
                  const program_size& size = {}) {
  const auto chosen = detail::chosen_program(where, size);
  const auto tree = object.programs(size.processes, size.operations)(rc::Random(chosen.number));
  if (const auto program = rc::shrinkable::walkPath(tree, chosen.shrinks))
    run_program(where, object, program->value(), size.judged);
  else
    detail::no_such_program(where);
}

}  // namespace forkloom
