import Glibc

/// This process's memory, as the kernel counts it.
enum ProcessMemory {
  static func resident() throws -> Int { try field("VmRSS:") }
  /// The most since ``resetPeak()``.
  static func peak() throws -> Int { try field("VmHWM:") }

  /// How many threads the process has.
  static func threads() throws -> Int { try number("Threads:") }

  /// proc(5), /proc/pid/clear_refs: 5 sets the peak to what is resident now.
  static func resetPeak() throws {
    guard let file = fopen("/proc/self/clear_refs", "w") else { throw BenchError("cannot reset the peak of memory") }
    fputs("5", file)
    fclose(file)
  }

  /// Gives free memory back to the system, so that what comes next is seen.
  static func giveBack() { _ = trimHeap(0) }

  private static func field(_ name: String) throws -> Int { try number(name) * 1_024 }

  private static func number(_ name: String) throws -> Int {
    guard let file = fopen("/proc/self/status", "r") else { throw BenchError("cannot read /proc/self/status") }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = line.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      guard text.hasPrefix(name) else { continue }
      let digits = text.drop { !$0.isNumber }.prefix { $0.isNumber }
      return Int(digits) ?? 0
    }
    throw BenchError("/proc/self/status has no \(name)")
  }
}

/// malloc_trim(3), which the Glibc module does not have.
@_silgen_name("malloc_trim")
private func trimHeap(_ pad: Int) -> Int32
