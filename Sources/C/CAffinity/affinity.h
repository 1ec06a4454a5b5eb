// On which processors a thread runs: <sched.h> keeps it for those who define _GNU_SOURCE, whom Swift is not among.
#pragma once
#include <sys/syscall.h>

// As <unistd.h> has it.
extern long syscall(long number, ...);

/// Lets a thread of this program run on the first `count` processors alone (sched_setaffinity(2)); below zero: it may not.
static inline long run_on_first_processors(int thread, int count) {
  unsigned long mask = count < 64 ? (1ul << count) - 1 : ~0ul;
  return syscall(SYS_sched_setaffinity, thread, sizeof mask, &mask);
}
