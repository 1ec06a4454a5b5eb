internal import FoundationEssentials
internal import Glibc

/// The folder that one gateway owns: resources, twins, spool.
struct DataDirectory: Sendable {
  let path: String

  /// Makes the folder and proves that it can be written to.
  init(_ path: String) throws(StartError) {
    self.path = path
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let probe = path + "/.writable"
      try Data().write(to: URL(filePath: probe))
      unlink(probe)
    } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
      throw StartError(
        "the data directory \(path) is on a full disk: free some space, or choose another with --data-dir")
    } catch {
      throw StartError(
        "cannot write to the data directory \(path): \(String(cString: strerror(errno))). Give this user the right to, or choose another with --data-dir"
      )
    }
  }

  var resources: String { path + "/resources" }
  var cluster: String { path + "/cluster" }
  var twins: String { path + "/twins" }
  var spool: String { path + "/spool" }
  var protocolState: String { path + "/protocols" }
  var sinkState: String { path + "/sinks" }
  var audit: String { path + "/audit" }
  var manifestState: String { path + "/manifests.json" }

  /// A folder of its own below, made where it is missing.
  func folder(_ path: String) throws(StartError) -> String {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw StartError("cannot make the folder \(path): \(error)")
    }
    return path
  }
}
