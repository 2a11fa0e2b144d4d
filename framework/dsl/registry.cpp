#include "forkloom/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <tuple>

namespace forkloom {
namespace {

struct registry {
  std::deque<scenario_info> infos;  // never moves what it holds
  std::vector<const scenario_info*> ordered;
};

registry& the_registry() {
  static registry instance;  // used before main(), so it must be made on first use
  return instance;
}

// "[bank][lost-update]" → bank, lost-update. What stands outside of brackets is no tag.
std::vector<std::string> split_tags(std::string_view text) {
  std::vector<std::string> tags;
  for (auto open = text.find('['); open != std::string_view::npos; open = text.find('[', open)) {
    const auto close = text.find(']', open);
    if (close == std::string_view::npos) break;
    tags.emplace_back(text.substr(open + 1, close - open - 1));
    open = close;
  }
  return tags;
}

}  // namespace

const std::vector<const scenario_info*>& scenarios() { return the_registry().ordered; }

const scenario_info* find_scenario(std::string_view name) {
  const auto& all = scenarios();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const scenario_info* s) { return s->name == name; });
  return found == all.end() ? nullptr : *found;
}

registration::registration(std::string_view name, std::string_view tags, std::string_view file,
                           unsigned line, void (*body)(scenario&), options defaults) {
  if (const auto* other = find_scenario(name); other != nullptr) {
    fmt::print(stderr,
               "forkloom: two scenarios are called \"{}\": {}:{} and {}:{}. Rename one of them.\n",
               name, other->file, other->line, file, line);
    std::exit(2);
  }
  auto& r = the_registry();
  r.infos.push_back({.name = std::string(name),
                     .tags = split_tags(tags),
                     .file = std::string(file),
                     .line = line,
                     .body = body,
                     .defaults = std::move(defaults)});
  const auto place = [](const scenario_info* s) { return std::tie(s->file, s->line); };
  const auto* added = &r.infos.back();
  r.ordered.insert(std::upper_bound(r.ordered.begin(), r.ordered.end(), added,
                                    [&](auto* a, auto* b) { return place(a) < place(b); }),
                   added);
}

}  // namespace forkloom
