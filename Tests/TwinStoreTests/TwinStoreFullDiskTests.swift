import DeviceKit
import Documents
import Foundation
import Glibc
import Logging
import TestSupport
import Testing
import TwinStore

/// A file system of 1 MB of its own, unmounted with its last reference.
private final class SmallDisk: Sendable {
  let path: String
  private let folder: ScratchFolder

  /// Nil where this machine refuses to mount.
  init?() throws {
    folder = try ScratchFolder()
    path = folder("disk")
    mkdir(path, 0o700)
    guard mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 else { return nil }
  }

  deinit { umount2(path, Int32(MNT_DETACH)) }

  static let isPermitted = (try? SmallDisk()) ?? nil != nil

  func fill() throws {
    let file = open(path + "/filler", O_CREAT | O_WRONLY, 0o600)
    defer { close(file) }
    let block = [UInt8](repeating: 1, count: 4_096)
    while write(file, block, block.count) > 0 {}
    guard errno == ENOSPC else { throw Trouble("errno \(errno)") }
  }

  func empty() { unlink(path + "/filler") }
}

@Suite struct TwinStoreFullDiskTests {
  @Test(.enabled(if: SmallDisk.isPermitted, "mounting a small tmpfs needs root and CAP_SYS_ADMIN"))
  func `A full disk refuses wishes, loses nothing acknowledged, and is used again once there is space`() async throws {
    let disk = try #require(try SmallDisk())
    let directory = TemporaryDirectory()
    var properties = Boiler.properties
    properties[4].0.access = .readWrite
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let points = PointTable()
    let store = try TwinStore.open(
      directory: disk.path + "/twins", points: points, logger: logger,
      options: .init(reportedInterval: .milliseconds(100)))
    store.attach(Boiler.key, properties: properties, writesEnabled: true)
    let patch = DesiredSource.local(user: "operator")
    try await store.setDesired(["setpoint": 40, "label": "first"], of: Boiler.key, from: patch)
    try disk.fill()

    // Small changes go on for as long as the log has room; a large one has none.
    let large = JSONValue.string(String(repeating: "x", count: 600_000))
    let error = await #expect(throws: TwinError.self) {
      try await store.setDesired(["label": large], of: Boiler.key, from: patch)
    }
    guard case .storage(let message)? = error else { throw Trouble("\(String(describing: error))") }
    #expect(message.contains("full"), "\(message)")
    #expect(store.snapshot(Boiler.key)?["label"]?.desired?.value == "first", "a refused wish is not made")

    var batch = SampleBatch()
    batch.append(
      points.id(of: PointName(device: Boiler.key, property: "config")), .object(["text": large]), quality: .good,
      sourceTime: 1, gatewayTime: 1)
    store.ingest(batch)
    await #expect(throws: TwinError.self) { try await store.flush() }
    #expect(store.snapshot(Boiler.key)?["config"]?.reading.value == .object(["text": large]), "kept in memory")
    #expect(store.statistics.failedCommits > 0)

    // As a kill would leave it now.
    for name in try FileManager.default.contentsOfDirectory(atPath: disk.path + "/twins") where !name.hasSuffix("-shm")
    {
      try FileManager.default.copyItem(atPath: disk.path + "/twins/" + name, toPath: directory.path + "/" + name)
    }
    let killed = try Boiler(in: directory, properties: properties)
    #expect(killed["setpoint"].desired?.value == 40 && killed["label"].desired?.value == "first")

    disk.empty()
    let before = store.statistics.reportedRowsWritten
    try await eventually("the twins are stored again by themselves") {
      store.statistics.reportedRowsWritten > before
    }
    try await store.setDesired(["label": "second"], of: Boiler.key, from: patch)
    #expect(store.snapshot(Boiler.key)?["label"]?.desired?.value == "second")
    await store.close()
  }
}
