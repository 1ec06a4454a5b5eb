import Documents
import Foundation
import Gateway
import Logging
import TestSupport
import Testing

@Suite struct AuditFileTests {
  private let folder: ScratchFolder
  private var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }

  init() throws { folder = try ScratchFolder() }

  private func numbers(_ name: String) throws -> [Int] {
    try String(contentsOfFile: folder(name), encoding: .utf8).split(separator: "\n").map {
      try JSONValue(parsing: Array($0.utf8))["n"]?.int ?? -1
    }
  }

  @Test func fullFilesAreKeptUpToTheirNumberAndEachLineIsWhole() async throws {
    let file = AuditFile(folder: folder.path, limits: .init(fileBytes: 100, oldFiles: 2), logger: quiet)
    for number in 100..<150 {
      file.record(["n": .integer(Int64(number)), "text": "0123456789"])
      await file.flush()
    }
    #expect(file.written == 50 && file.losses.allSatisfy { $0.count == 0 })
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == ["audit.log", "audit.log.1", "audit.log.2"])
    let kept = try names.reversed().flatMap { try numbers($0) }
    #expect(kept == Array((150 - kept.count)..<150) && kept.count >= 5, "\(kept)")
  }

  @Test func whatTheDiskDoesNotTakeIsCountedAndItGoesOnAfterwards() async throws {
    let file = AuditFile(folder: folder("later"), logger: quiet)
    file.record(["n": 1])
    await file.flush()
    #expect(file.losses.contains { $0.cause == .disk && $0.count == 1 } && file.written == 0)
    try FileManager.default.createDirectory(atPath: folder("later"), withIntermediateDirectories: false)
    file.record(["n": 2])
    await file.flush()
    #expect(try numbers("later/audit.log") == [2])
  }

  @Test func theQueueIsBoundedAndSoAreTheRefusalsOfStrangers() async throws {
    let file = AuditFile(folder: folder.path, logger: quiet)
    for _ in 0..<AuditFile.longestQueue + 7 { file.record(["n": 1]) }
    #expect(file.losses.contains { $0.cause == .queueFull && $0.count == 7 })
    await file.flush()
    let strangers = AuditFile(folder: folder("strangers"), logger: quiet)
    for _ in 0..<500 { strangers.record(["n": 1], isStranger: true) }
    #expect(strangers.losses.contains { $0.cause == .refusalsPerSecond && $0.count > 0 })
  }

  @Test func aFileThatIsTakenAwayIsMadeAnew() async throws {
    let file = AuditFile(folder: folder.path, logger: quiet)
    file.record(["n": 1])
    await file.flush()
    try FileManager.default.removeItem(atPath: folder("audit.log"))
    file.record(["n": 2])
    await file.flush()
    #expect(try numbers("audit.log") == [2])
  }
}
