import Glibc

/// A temporary directory, removed with its last reference.
final class BenchPlace {
  let root: String

  /// Below `folder`, or where temporary files go.
  init(in folder: String? = nil) throws(BenchError) {
    let base = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array((base + "/selvedge-bench-XXXXXX").utf8CString)
    let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } }
    guard let made else { throw BenchError("cannot make a directory in \(base)") }
    root = made
  }

  func path(_ name: String) -> String { root + "/" + name }

  deinit { Self.remove(root) }

  private static func remove(_ path: String) {
    if let folder = opendir(path) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { remove(path + "/" + name) }
      }
      closedir(folder)
    }
    _ = Glibc.remove(path)
  }
}
