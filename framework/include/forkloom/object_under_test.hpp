// An object as processes see it, and as it would be for one process alone; and programs made of its
// operations. See forkloom/linearizability.hpp.
#pragma once

#include <rapidcheck.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "forkloom/error.hpp"
#include "forkloom/generated_call.hpp"
#include "forkloom/scenario.hpp"
#include "forkloom/state_table.hpp"

namespace forkloom {

// What each process calls, one after the other.
template <class Subject, class Model>
using generated_program = std::vector<std::vector<detail::bound_call<Subject, Model>>>;

namespace detail {

// Lists of that many, which shrink by leaving some out, though never all, and by shrinking each.
template <class T>
rc::Gen<std::vector<T>> shrinking_list(std::size_t count, const rc::Gen<T>& each) {
  using shrinkables = std::vector<rc::Shrinkable<T>>;
  return [=](const rc::Random& random, int size) {
    auto own = random;
    shrinkables all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(each(own.split(), size));
    const auto shrink = [](const shrinkables& some) {
      return rc::seq::concat(rc::seq::filter(rc::shrink::removeChunks(some),
                                             [](const shrinkables& left) { return !left.empty(); }),
                             rc::shrink::eachElement(
                                 some, [](const rc::Shrinkable<T>& one) { return one.shrinks(); }));
    };
    return rc::shrinkable::map(rc::shrinkable::shrinkRecur(std::move(all), shrink),
                               [](const shrinkables& some) {
                                 std::vector<T> values;
                                 for (const auto& one : some) values.push_back(one.value());
                                 return values;
                               });
  };
}

}  // namespace detail

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

  // An operation of both, and a generator for each of its arguments. Throws usage_error if it has
  // the name of another one, or if one of the two is null.
  template <class Result, class ModelResult, class... Arguments, class... ModelArguments>
  void operation(const std::string& called, Result (Subject::*does)(Arguments...),
                 ModelResult (Model::*should)(ModelArguments...),
                 rc::Gen<std::decay_t<Arguments>>... arguments) {
    require_complete(called, does != nullptr, should != nullptr);
    operations_.push_back(
        rc::gen::map(rc::gen::tuple(std::move(arguments)...),
                     [=](const std::tuple<std::decay_t<Arguments>...>& values) {
                       return detail::bind_call<Subject, Model, Result, ModelResult>(
                           called, does, should, values);
                     }));
  }

  // The same of an operation whose first argument is a key: it neither changes nor sees anything
  // that has to do with another key. If all calls of a program are such, each key is judged by
  // itself, which is much faster, and a report shows the calls of one key alone. The model is still
  // that of the whole object.
  template <class Result, class ModelResult, class Key, class... Arguments, class... ModelArguments>
  void keyed_operation(const std::string& called, Result (Subject::*does)(Key, Arguments...),
                       ModelResult (Model::*should)(ModelArguments...),
                       rc::Gen<std::decay_t<Key>> key,
                       rc::Gen<std::decay_t<Arguments>>... arguments) {
    require_complete(called, does != nullptr, should != nullptr);
    operations_.push_back(rc::gen::map(
        rc::gen::tuple(std::move(key), std::move(arguments)...),
        [=](const std::tuple<std::decay_t<Key>, std::decay_t<Arguments>...>& values) {
          auto made =
              detail::bind_call<Subject, Model, Result, ModelResult>(called, does, should, values);
          made.key = detail::show(std::get<0>(values));
          return made;
        }));
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Model& initial() const { return initial_; }
  [[nodiscard]] const std::function<Subject(process&)>& open() const { return open_; }

  // Programs of so many processes, with `operations` calls each. They shrink to fewer processes,
  // fewer calls and smaller arguments. Throws usage_error if there are no operations.
  [[nodiscard]] rc::Gen<generated_program<Subject, Model>> programs(std::size_t processes,
                                                                    std::size_t operations) const {
    if (operations_.empty()) throw usage_error("object \"" + name_ + "\" has no operation()");
    return detail::shrinking_list(
        processes,
        detail::shrinking_list(operations, rc::gen::join(rc::gen::elementOf(operations_))));
  }

  // Throws usage_error if nobody has said how it is opened.
  void require_opened() const {
    if (!open_) throw usage_error("object \"" + name_ + "\": say how it is opened: opened_by()");
  }

 private:
  void require_complete(const std::string& called, bool has_subject, bool has_model) {
    const auto which = "operation \"" + called + "\" of object \"" + name_ + "\"";
    if (!has_subject) throw usage_error(which + " has no function of the object");
    if (!has_model) throw usage_error(which + " has no function of the model");
    if (!names_.insert(called).second)
      throw usage_error(which +
                        ": there is one of that name already, and reports could not tell "
                        "them apart");
  }

  std::string name_;
  std::set<std::string> names_;
  Model initial_;
  std::function<Subject(process&)> open_;
  std::vector<rc::Gen<call>> operations_;
};

}  // namespace forkloom
