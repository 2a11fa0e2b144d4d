#include "framework/execution/images.hpp"

#include <algorithm>

#include "framework/trace/module_address.hpp"

namespace forkloom::execution {

// The modules of one image lie together, and images in the order in which they began.
void images::go_on_to(std::uint32_t number) {
  const auto& all = arena_.programs;
  while (seen_ < all.module_count && all.modules[seen_].since_event <= number) {
    const auto& first = all.modules[seen_];
    range image{seen_, seen_};
    while (image.last < all.module_count && all.modules[image.last].task == first.task &&
           all.modules[image.last].since_event == first.since_event)
      ++image.last;
    auto& all_of_process = current_[process_of(first.task)];
    if (!first.was_loaded) all_of_process.clear();
    all_of_process.push_back(image);
    seen_ = image.last;
  }
}

// A forked process has its parent's program until it executes another.
void images::note_birth(const event& e) {
  if (e.op != operation::fork || e.how != outcome::completed || e.error != 0) return;
  if (const auto parent = current_.find(process_of(e.task)); parent != current_.end())
    current_[task_id(e.after)] = parent->second;
}

std::uint64_t images::in_file(task_id task, std::uint64_t address) {
  if (address == 0 || task == no_task || current_.empty()) return address;
  const auto image = current_.find(process_of(task));
  if (image == current_.end()) return address;
  const auto* found = module_at(image->second, address);
  if (found == nullptr) return pack({unknown_module, address});
  return pack({number_of(*found), address - found->bias});
}

// The youngest one: a library may lie where one was that is gone.
const module_record* images::module_at(const program& image, std::uint64_t address) const {
  const auto* modules = arena_.programs.modules.data();
  for (auto part = image.rbegin(); part != image.rend(); ++part) {
    const auto* last = modules + part->last;
    const auto* found = std::find_if(modules + part->first, last, [&](const module_record& m) {
      return m.begin <= address && address < m.end;
    });
    if (found != last) return found;
  }
  return nullptr;
}

std::size_t images::number_of(const module_record& module) {
  const auto [known, is_new] = numbers_.try_emplace(module.path.data(), files_.size());
  if (is_new) files_.push_back(known->first);
  return known->second;
}

}  // namespace forkloom::execution
