// What one process tells another: that it has come so far.
#pragma once

#include <semaphore.h>

namespace forkloom::semantics {

class milestone {
 public:
  milestone() { ::sem_init(&reached_, 1, 0); }
  void reach() { ::sem_post(&reached_); }
  void await() { ::sem_wait(&reached_); }

 private:
  sem_t reached_;
};

}  // namespace forkloom::semantics
