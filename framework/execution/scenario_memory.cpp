#include "framework/execution/scenario_memory.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

namespace forkloom::execution {
namespace {

// Above this size giving the pages back is cheaper than writing zeros.
constexpr std::size_t page_return_size = std::size_t{1} << 20;

}  // namespace

scenario_memory::scenario_memory() {
  void* got = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED)
    throw std::system_error(errno, std::generic_category(), "cannot map the scenario's memory");
  base_ = static_cast<std::byte*>(got);
}

scenario_memory::~scenario_memory() { ::munmap(base_, capacity); }

void* scenario_memory::allocate(std::size_t size, std::size_t alignment) {
  const auto begin = (used_ + alignment - 1) / alignment * alignment;
  if (size > capacity || begin > capacity - size) throw std::bad_alloc();
  used_ = begin + size;
  return base_ + begin;
}

void scenario_memory::reset() noexcept {
  if (used_ > page_return_size)
    ::madvise(base_, used_, MADV_REMOVE);
  else
    std::memset(base_, 0, used_);
  used_ = 0;
}

}  // namespace forkloom::execution
