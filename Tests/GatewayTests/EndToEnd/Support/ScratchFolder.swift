import Foundation

/// A folder of a test's own, removed with its last reference.
final class ScratchFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("selvedge-e2e-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of `name` below this folder, which is not made.
  func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes a file below this folder; its path. Readers see the old content or the new one, never a part.
  @discardableResult
  func write(_ content: String, to name: String) throws -> String {
    let file = URL(fileURLWithPath: self(name))
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }
}

/// The root of the package.
let packageRoot = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }.path

/// The binary that was built with these tests: beside the test bundle.
func selvedgeBinary() throws -> String {
  let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let places = [
    URL(fileURLWithPath: own).deletingLastPathComponent().path + "/selvedge", packageRoot + "/.build/release/selvedge",
  ]
  guard let found = places.first(where: FileManager.default.isExecutableFile(atPath:)) else {
    throw Trouble("no selvedge binary at \(places.joined(separator: " or "))")
  }
  return found
}

struct Trouble: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Waits until `condition` holds; throws past the deadline, saying what was awaited and what `seen` tells.
func eventually(
  _ what: String, within seconds: Double = 30, seen: () async throws -> String = { "" },
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try await !condition() {
    guard ContinuousClock.now < deadline else {
      throw Trouble("not within \(seconds) s: \(what)\n\(try await seen())")
    }
    try await Task.sleep(for: .milliseconds(30))
  }
}
