// A limit on the real time that a scenario's own code may take: its body up to the start of the
// processes, and finally(). It runs in the worker, where no watchdog looks, and may wait for ever,
// for a mutex that a killed process still holds, say.
#pragma once

#include <time.h>

#include <chrono>

namespace forkloom::detail {

class body_limit {
 public:
  // What the process exits with when the time is over.
  static constexpr int exit_code = 125;

  // Throws std::system_error if the kernel has no timer to give.
  explicit body_limit(std::chrono::milliseconds limit);
  ~body_limit();
  body_limit(const body_limit&) = delete;
  body_limit& operator=(const body_limit&) = delete;

  // The time runs while one of these lives.
  class watch {
   public:
    explicit watch(body_limit& limit) noexcept : limit_(limit) { limit_.set(limit_.limit_); }
    ~watch() { limit_.set(std::chrono::milliseconds(0)); }
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;

   private:
    body_limit& limit_;
  };

 private:
  void set(std::chrono::milliseconds after) noexcept;  // 0: never

  std::chrono::milliseconds limit_;
  timer_t timer_{};
};

}  // namespace forkloom::detail
