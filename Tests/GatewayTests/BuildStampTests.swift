import Documents
import Foundation
import Gateway
import TestSupport
import Testing

/// `selvedge version`, and the ELF section it reads.
@Suite struct BuildStampTests {
  static let stamp = """
    {"version":"0.1.0","commit":"0123abc","date":"2026-01-02T03:04:05+00:00","compiler":"Swift 6.3.1",\
    "dependencies":{"swift-nio":"2.101.2","hummingbird":"2.28.1"}}
    """

  @Test(.timeLimit(.minutes(10)))
  func aStampedProgramTellsWhatItWasBuiltFrom() async throws {
    let folder = try ScratchFolder()
    let section = try folder.write(Self.stamp, to: "stamp.json")
    let program = folder("selvedge")
    let written = try await run([
      "objcopy", "--strip-all", "--remove-section=.selvedge.build", "--add-section=.selvedge.build=\(section)",
      try selvedgeBinary(), program,
    ])
    #expect(written.status == 0, "\(written.errors)")

    let text = try await run([program, "version"]).succeeded()
    #expect(
      text == """
        selvedge \(GatewayVersion.text)
        commit 0123abc of 2026-01-02T03:04:05+00:00
        Swift 6.3.1
        hummingbird 2.28.1
        swift-nio 2.101.2

        """)
    let document = try JSONValue(parsing: Array(try await run([program, "version", "-o", "json"]).succeeded().utf8))
    #expect(document["commit"]?.string == "0123abc")
    #expect(document[path: "dependencies", "swift-nio"]?.string == "2.101.2")
    #expect(try await run([program, "--version"]).succeeded() == "\(GatewayVersion.text)\n")
  }

  @Test(
    arguments: [
      ("no file at all", nil), ("an empty file", []), ("a script", Array("#!/bin/sh\necho selvedge\n".utf8)),
      ("an ELF head and nothing behind", [0x7F, 0x45, 0x4C, 0x46, 2, 1] + [UInt8](repeating: 0xFF, count: 58)),
      ("a section table beyond the file", head(tableAt: 1 << 40)), ("a section table of zeros", head(tableAt: 0)),
    ] as [(String, [UInt8]?)])
  func whatHasNoStampIsNoFault(_ name: String, _ bytes: [UInt8]?) throws {
    let folder = try ScratchFolder()
    let path = folder("program")
    if let bytes { try Data(bytes).write(to: URL(filePath: path)) }
    #expect(BuildStamp(ofProgramAt: path) == nil)
    #expect(BuildStamp.text(of: nil).contains("commit unknown"))
    #expect(BuildStamp.document(of: nil)["commit"] == .null)
  }

  /// An ELF head with four sections, whose table is said to stand at `offset`.
  static func head(tableAt offset: UInt64) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 64)
    bytes.replaceSubrange(0..<6, with: [0x7F, 0x45, 0x4C, 0x46, 2, 1])
    for index in 0..<8 { bytes[0x28 + index] = UInt8(truncatingIfNeeded: offset >> (8 * UInt64(index))) }
    bytes[0x3A] = 64
    bytes[0x3C] = 4
    bytes[0x3E] = 3
    return bytes
  }
}
