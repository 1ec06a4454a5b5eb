import DeviceKit
import Documents
import Foundation
import SQLite
import Testing
import TwinStore

@Suite struct TwinStoreDamageTests {
  private let operatorsPatch = DesiredSource.local(user: "operator")

  private func setAside(in directory: TemporaryDirectory) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
      $0.hasPrefix("twin.db.corrupt-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
    }
  }

  @Test func `A file that turns out damaged in use is replaced, and nothing that the twins hold is lost`() async throws
  {
    let directory = TemporaryDirectory()
    let boiler = try Boiler(in: directory)
    boiler.report("counter", .integer(5))
    boiler.report("label", .string("Kessel"))
    try await boiler.store.setDesired(["setpoint": 41], of: Boiler.key, from: operatorsPatch)
    try await boiler.store.flush()
    let version = boiler.version
    try scribble(over: directory.path + "/twin.db")

    boiler.report("counter", .integer(6))
    try await boiler.store.setDesired(["pump": true], of: Boiler.key, from: operatorsPatch)
    try await boiler.store.flush()
    #expect(boiler.store.statistics.filesReplaced == 1)
    #expect(try setAside(in: directory).count == 1)

    let killed = try Boiler(in: directory.copy())
    #expect(killed["counter"].reading.value == .integer(6) && killed["label"].reading.value == .string("Kessel"))
    #expect(killed["setpoint"].desired?.value == 41 && killed["pump"].desired?.value == true)
    #expect(
      killed.version > version && killed.store.snapshot(Boiler.key)?.uid == boiler.store.snapshot(Boiler.key)?.uid)
  }

  /// Another program changes the file, so that the store reads its pages anew, and then the pages are overwritten.
  private func scribble(over path: String) throws {
    do {
      let other = try Connection(path: path)
      try other.execute("INSERT INTO meta VALUES ('other', 1); PRAGMA wal_checkpoint(TRUNCATE);")
    }
    let file = try #require(FileHandle(forWritingAtPath: path))
    let size = try file.seekToEnd()
    try file.seek(toOffset: 4_096)
    try file.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 4_096))
    try file.close()
  }

  @Test func `Of the damaged files that were set aside the latest three stay`() async throws {
    let directory = TemporaryDirectory()
    for _ in 0..<6 {
      let boiler = try Boiler(in: directory)
      await boiler.store.close()
      try Data(repeating: 0x5A, count: 8_192).write(to: URL(fileURLWithPath: directory.path + "/twin.db"))
    }
    _ = try Boiler(in: directory)
    #expect(try setAside(in: directory).count == 3)
  }

  /// A file and its log as a kill leaves them, with a log of some length.
  private func killed(_ random: inout SplitMix64) async throws -> TemporaryDirectory {
    let directory = TemporaryDirectory()
    let boiler = try Boiler(in: directory, options: .init(reportedInterval: .seconds(3_600)))
    for round in 0..<Int.random(in: 3...40, using: &random) {
      boiler.report("counter", .integer(Int64(round)))
      boiler.report("label", .string(String(repeating: "ab", count: Int.random(in: 0...2_000, using: &random))))
      try await boiler.store.flush()
      try await boiler.store.setDesired(
        ["setpoint": .integer(Int64(20 + round % 40))], of: Boiler.key, from: operatorsPatch)
    }
    if Bool.random(using: &random) {
      let other = try Connection(path: directory.path + "/twin.db")
      try other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }
    boiler.report("counter", .integer(-1))
    try await boiler.store.flush()
    return directory.copy()
  }

  @Test(arguments: UInt64(0)..<60)
  func `A torn or flipped file or log is sound after the start, or set aside`(seed: UInt64) async throws {
    var random = SplitMix64(seed: seed)
    let directory = try await killed(&random)
    let names = ["twin.db", "twin.db-wal"].filter {
      FileManager.default.fileExists(atPath: directory.path + "/" + $0)
    }
    let path = directory.path + "/" + names.randomElement(using: &random)!
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try #require(!bytes.isEmpty)
    if Bool.random(using: &random) {
      bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))
    } else {
      for _ in 0..<Int.random(in: 1...64, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
      }
    }
    try bytes.write(to: URL(fileURLWithPath: path))

    let boiler: Boiler
    do {
      boiler = try Boiler(in: directory)
    } catch TwinError.storage(let message) where message.contains("newer version") {
      // The schema's number itself was hit: a refusal that says what to do.
      return
    }
    _ = boiler.store.snapshot(Boiler.key)
    boiler.report("counter", .integer(7))
    try await boiler.store.setDesired(["setpoint": 33], of: Boiler.key, from: operatorsPatch)
    try await boiler.store.flush()
    await boiler.store.close()
    let connection = try Connection(path: directory.path + "/twin.db")
    #expect(try connection.integrityFault() == nil)
    let again = try Boiler(in: directory)
    #expect(again["counter"].reading.value == .integer(7) && again["setpoint"].desired?.value == 33)
  }
}
