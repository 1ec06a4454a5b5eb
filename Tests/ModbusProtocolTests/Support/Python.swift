import Foundation

/// Runs a Python program and answers its output: the independent encoder.
func python(_ program: String) throws -> String {
  let process = Process()
  let output = Pipe()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["python3", "-c", program]
  process.standardOutput = output
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw TestTrouble("python3 failed") }
  return String(decoding: data, as: UTF8.self)
}
