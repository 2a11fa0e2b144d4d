#include "framework/memory/access.hpp"

#include <algorithm>

#include "framework/execution/identity.hpp"
#include "framework/intercept/instrumented.hpp"

namespace forkloom::memory {

[[gnu::tls_model("initial-exec")]] thread_local constinit known_pages unwatched;

namespace {

[[gnu::tls_model("initial-exec")]] thread_local constinit int ignored = 0;

resource_id at(const void* place) noexcept {
  return execution::resource_at(place, resource_kind::memory);
}

[[gnu::constructor]] void tell_interception() noexcept {
  intercept::program_is_instrumented = true;
}

}  // namespace

bool is_watched(const void* place) noexcept {
  // In Forkloom's own code, or in an access that is told by other means: for the moment only.
  if (execution::self() != no_task && !execution::controlled()) return false;
  if (ignored != 0 || intercept::in_marked_access()) return false;
  if (execution::self() != no_task &&
      execution::shared_mapping_at(known_pages::number(place)) != nullptr)
    return true;
  unwatched.add(place);
  return false;
}

void plain_load(const void* place, std::size_t size, const void* site) noexcept {
  if (!is_watched(place)) return;
  controlled_call call{operation::load, at(place), site};
  size = bytes_there(place, size);
  const auto value = execution::digest(place, size);
  call.completed(plain(size), value, value);
}

void plain_store(const void* place, std::size_t size, const void* site) noexcept {
  if (!is_watched(place)) return;
  controlled_call call{operation::store, at(place), site};
  size = bytes_there(place, size);
  call.completes_by_itself(plain(size), place, size);
}

void plain_load_and_store(const void* place, std::size_t size, const void* site) noexcept {
  if (!is_watched(place)) return;
  controlled_call call{operation::store, at(place), site};
  tell_load(place, size, site);
  size = bytes_there(place, size);
  call.completes_by_itself(plain(size), place, size);
}

void tell_load(const void* place, std::size_t size, const void* site) noexcept {
  size = bytes_there(place, size);
  const auto value = execution::digest(place, size);
  controlled_call::silent(operation::load, at(place), site).completed(plain(size), value, value);
}

std::size_t bytes_there(const void* place, std::size_t size) noexcept {
  return std::min(size, static_cast<std::size_t>(execution::shared_bytes_from(place)));
}

void ignore(int by) noexcept { ignored += by; }

}  // namespace forkloom::memory
