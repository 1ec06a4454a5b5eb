/* adjtimex(2) without <sys/timex.h>, whose timespec would be another one than Glibc's to the compiler. */
#include <asm/unistd.h>

extern long syscall(long number, ...);

/* What the kernel says of its clock: 5 (TIME_ERROR) where it is not synchronised, below zero where it may not be asked. */
static inline long clock_state(void) {
  _Alignas(8) char timex[512] = {0};
  return syscall(__NR_adjtimex, timex);
}
