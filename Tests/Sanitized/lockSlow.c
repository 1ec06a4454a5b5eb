#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "Sanitized.h"

// Takes the place of Synchronization._MutexHandle._lockSlow(_:) in a build with the thread sanitizer. The original, in
// libswiftSynchronization.so, is not instrumented: the sanitizer does not see that it acquires the lock, and takes every
// contended Mutex for a race. This one waits without the kernel, hence no unlock needs its slow path either.
//
// The lock's word holds the owner's thread identifier, or 0 (futex(2), FUTEX_LOCK_PI).
__attribute__((swiftcall)) void selvedge_lock_slow(
    uint32_t own, __attribute__((swift_context)) _Atomic(uint32_t) *word)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void selvedge_lock_slow(
    uint32_t own, __attribute__((swift_context)) _Atomic(uint32_t) *word) {
  for (;;) {
    uint32_t nobody = 0;
    if (atomic_compare_exchange_weak_explicit(
            word, &nobody, own, memory_order_acquire, memory_order_relaxed)) {
      return;
    }
    usleep(20);
  }
}
