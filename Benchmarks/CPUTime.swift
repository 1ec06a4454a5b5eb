// Where the compiler finds `timespec` in a program that also uses SwiftNIO.
import CNIOLinux
import Glibc

/// Nanoseconds of processor time that this thread has used.
func threadCPUNanoseconds() -> Double { nanoseconds(of: CLOCK_THREAD_CPUTIME_ID) }

/// Nanoseconds of processor time that all threads of this process have used, in user and kernel mode.
func processCPUNanoseconds() -> Double { nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID) }

func monotonicNanoseconds() -> Double { nanoseconds(of: CLOCK_MONOTONIC) }

func nanoseconds(of clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}
