import TestSupport

/// Runs a Python program and answers its output: the independent encoder.
func python(_ program: String) async throws -> String {
  try await run(["python3", "-c", program], within: .seconds(180)).succeeded()
}
