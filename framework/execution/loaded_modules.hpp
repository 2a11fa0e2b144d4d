// Which files a program that a task executed is made of: itself, its libraries, and those that it
// loads while it runs. They are noted in the arena, so that addresses in them can be told as places
// in files (images.hpp). For the program that runs in this process; async-signal-safe.
#pragma once

#include "framework/execution/arena.hpp"

namespace forkloom::execution {

// All that the dynamic linker has mapped before the program begins. `task`: the one that executed
// it.
void note_modules(arena& a, task_id task) noexcept;

// Code of a file has been mapped, which dlopen(3) does before anybody knows of the library.
void code_was_mapped() noexcept;

// Notes what has come since. To be asked before an address in it can be written down.
void note_new_modules(arena& a, task_id task) noexcept;

}  // namespace forkloom::execution
