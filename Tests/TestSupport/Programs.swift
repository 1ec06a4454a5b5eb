import Foundation

/// The root of the package.
public let packageRoot = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
  .path

/// The binary that was built with these tests: beside the test bundle.
public func selvedgeBinary() throws -> String {
  let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let places = [
    URL(fileURLWithPath: own).deletingLastPathComponent().path + "/selvedge", packageRoot + "/.build/release/selvedge",
  ]
  guard let found = places.first(where: FileManager.default.isExecutableFile(atPath:)) else {
    throw Trouble("no selvedge binary at \(places.joined(separator: " or "))")
  }
  return found
}
