internal import FoundationEssentials
internal import Glibc
internal import ResourceStore
internal import SQLite
internal import Threads

/// A backup of a gateway's data while it runs: one SQLite archive (sqlite.org/sqlar.html) with `resources/resources.db`
/// and `twins/twin.db`, each as it stood at one moment. Spools, secrets and logs are not in it.
///
/// Runs on a thread of its own, which may wait for the disk.
public actor GatewayBackup {
  private nonisolated let thread = BlockingThread()
  public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
  private let dataDirectory: String

  public init(dataDirectory: String) { self.dataDirectory = dataDirectory }

  /// The database files, by their place in the data directory.
  static let resources = "resources/resources.db"
  static let twins = "twins/twin.db"

  /// Writes the archive to the new file `path`. Throws ``StartError``; nothing is left then.
  public func write(to path: String) throws(StartError) {
    let copies = path + ".parts"
    defer {
      try? FileManager.default.removeItem(atPath: copies)
    }
    do {
      try FileManager.default.createDirectory(
        atPath: copies, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let archive = try DataArchive(creating: path)
      try BackupCopy.make(of: "\(dataDirectory)/resources", to: "\(copies)/resources.db")
      try archive.add("\(copies)/resources.db", as: Self.resources)
      let twins = "\(dataDirectory)/\(Self.twins)"
      if access(twins, F_OK) == 0 {
        try Connection(path: twins, readOnly: true).backup(to: "\(copies)/twin.db")
        try archive.add("\(copies)/twin.db", as: Self.twins)
      }
    } catch {
      unlink(path)
      throw StartError("no backup was made: \(error)")
    }
  }

  /// Puts a backup's files into a data directory that has none of them.
  ///
  /// The resources' versions go on far above the old ones: clients that watched list again.
  public static func restore(_ path: String, to dataDirectory: String) throws(StartError) {
    for place in [resources, twins] where access("\(dataDirectory)/\(place)", F_OK) == 0 {
      throw StartError("\(dataDirectory)/\(place) exists: restore into a new data directory, or move that file away")
    }
    do {
      let archive = try DataArchive(opening: path)
      for place in [resources, twins] {
        let target = "\(dataDirectory)/\(place)"
        let folder = String(target[..<(target.lastIndex(of: "/") ?? target.endIndex)])
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try archive.extract(place, to: target)
      }
    } catch {
      throw StartError("nothing can be restored from \(path): \(error)")
    }
  }

  // MARK: For an answer

  /// Makes the archive in a file that has no name any more; the caller reads it with ``read(_:)`` and closes it.
  func open() throws(StartError) -> Int32 {
    let path = "\(dataDirectory)/backup-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    try write(to: path)
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    unlink(path)
    guard descriptor >= 0 else { throw StartError("the backup cannot be read: \(String(cString: strerror(errno)))") }
    return descriptor
  }

  /// The next piece, of 64 KiB at most; empty at the end.
  func read(_ descriptor: Int32) throws(StartError) -> [UInt8] {
    var failure: Int32 = 0
    let piece = [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, count in
      let got = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      failure = got < 0 ? errno : 0
      count = max(got, 0)
    }
    guard failure == 0 else { throw StartError("the backup cannot be read: \(String(cString: strerror(failure)))") }
    return piece
  }
}
