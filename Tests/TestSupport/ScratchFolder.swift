import Foundation

/// A folder of a test's own, removed with its last reference.
public final class ScratchFolder: Sendable {
  public let path: String

  public init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("selvedge-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of `name` below this folder, which is not made.
  public func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes a file below this folder; its path. Readers see the old content or the new one, never a part.
  @discardableResult
  public func write(_ content: String, to name: String) throws -> String {
    let file = URL(fileURLWithPath: self(name))
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try content.write(to: file, atomically: true, encoding: .utf8)
    return file.path
  }
}
