import DeviceKit
import Documents
import FileSink
import Foundation
import SinkKit
import TestSupport
import Testing

/// Gives a folder that goes afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = try ScratchFolder()
  defer { withExtendedLifetime(folder) {} }
  return try await body(folder.path)
}

@Suite struct FileSinkTests {
  private func records(_ range: ClosedRange<UInt64>, value: Value = .number(1.5)) -> [TelemetryRecord] {
    range.map { sequence in
      TelemetryRecord(
        series: SeriesDescription(
          node: "n", device: DeviceKey(namespace: "default", name: "d"), property: "a,b", unit: "Cel"),
        pipeline: "default/p", sequence: sequence, time: Timestamp(seconds: 10), windowStart: Timestamp(seconds: 0),
        quality: .good, fields: [.init(name: "mean", value: value), .init(name: "count", value: .integer(2))])
    }
  }

  private func writer(_ folder: String, _ json: JSONValue) throws -> any SinkWriter {
    try FileSinkPlugin(folder: folder).writer(for: SinkRequest(name: "default/f", specification: json))
  }

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  @Test func `records become lines of JSON`() async throws {
    try await withFolder { folder in
      let writer = try writer(folder, ["path": "a/b/out.ndjson"])
      #expect(await writer.send(records(1...2)) == .delivered)
      #expect(await writer.send(records(3...3)) == .delivered)
      await writer.close()
      let lines = try text("\(folder)/a/b/out.ndjson").split(separator: "\n")
      let json = try lines.map { try JSONValue(parsing: $0) }
      #expect(json.map { $0["sequence"]?.int } == [1, 2, 3])
      #expect(json[0]["fields"] == ["mean": 1.5, "count": 2])
      #expect(json[0]["time"] == "1970-01-01T00:00:10.000000Z" && json[0]["device"] == "d")
    }
  }

  @Test func `CSV has a head once and quotes what needs it`() async throws {
    try await withFolder { folder in
      for sequence in 1...2 as ClosedRange<UInt64> {
        let writer = try writer(folder, ["path": "out.csv", "format": "csv"])
        #expect(await writer.send(records(sequence...sequence, value: .string("say \"x\""))) == .delivered)
      }
      let lines = try text("\(folder)/out.csv").split(separator: "\n")
      #expect(lines.count == 5)
      #expect(lines[0].hasPrefix("time,windowStart,node,"))
      #expect(lines[1].hasSuffix(#",n,default,d,"a,b",,Cel,Good,default/p,1,mean,string,"say ""x""""#))
    }
  }

  @Test func `files rotate and only so many stay`() async throws {
    try await withFolder { folder in
      let writer = try writer(folder, ["path": "out", "rotate": ["maxBytes": 4096, "keep": 2]])
      for index in 0..<20 as Range<UInt64> {
        #expect(await writer.send(records(index * 10...index * 10 + 9)) == .delivered)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["out", "out.1", "out.2"])
      for name in ["out", "out.1", "out.2"] {
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")).count <= 4_096)
      }
      #expect(try text("\(folder)/out").contains(#""sequence":199"#))
    }
  }

  @Test(arguments: ["/etc/passwd", "../out", "a/../../out", "a/./b", "..", "", "a/", "a/../b"])
  func `paths that leave the folder are refused`(path: String) {
    #expect(throws: SinkError.self) { try writer("/nowhere", ["path": .string(path)]) }
  }

  @Test func `symbolic links are not followed`() async throws {
    try await withFolder { outside in
      try await withFolder { folder in
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/link", withDestinationPath: outside)
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/file", withDestinationPath: "\(outside)/f")
        for path in ["link/out", "file"] as [JSONValue] {
          guard case .retry(let error, _) = await (try writer(folder, ["path": path])).send(records(1...1)) else {
            Issue.record("was written")
            continue
          }
          #expect(error.reason == "SymbolicLink")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
      }
    }
  }

  @Test func `a line torn by a crash is cut off before new ones come`() async throws {
    try await withFolder { folder in
      try Data("{\"whole\":1}\n{\"torn\":".utf8).write(to: URL(fileURLWithPath: "\(folder)/out"))
      #expect(await (try writer(folder, ["path": "out"])).send(records(1...1)) == .delivered)
      let lines = try text("\(folder)/out").split(separator: "\n")
      #expect(lines.count == 2 && lines[0] == #"{"whole":1}"#)
    }
  }

  @Test func `a file moved away is made anew`() async throws {
    try await withFolder { folder in
      let writer = try writer(folder, ["path": "out"])
      #expect(await writer.send(records(1...1)) == .delivered)
      try FileManager.default.moveItem(atPath: "\(folder)/out", toPath: "\(folder)/moved")
      #expect(await writer.send(records(2...2)) == .delivered)
      #expect(try text("\(folder)/out").contains(#""sequence":2"#))
    }
  }

  @Test func `a line torn within quotes is cut off whole`() async throws {
    try await withFolder { folder in
      let torn = RecordLines.head(of: .csv) + Array("a,\"x\ny\"\nb,\"one\ntwo".utf8)
      try Data(torn).write(to: URL(fileURLWithPath: "\(folder)/out"))
      let writer = try writer(folder, ["path": "out", "format": "csv"])
      #expect(await writer.send(records(1...1)) == .delivered)
      let lines = try text("\(folder)/out").split(separator: "\n")
      #expect(lines.count == 5 && lines[1] == "a,\"x" && lines[2] == "y\"" && lines[3].contains("mean"))
    }
  }

  @Test func `files put aside are compressed and keep every line`() async throws {
    try await withFolder { folder in
      let writer = try writer(folder, ["path": "out", "rotate": ["maxBytes": 4096, "keep": 3, "gzip": true]])
      for index in 0..<20 as Range<UInt64> {
        #expect(await writer.send(records(index * 10...index * 10 + 9)) == .delivered)
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["out", "out.1.gz", "out.2.gz", "out.3.gz"])
      let files = ["out.3.gz", "out.2.gz", "out.1.gz"].map { "\(folder)/\($0)" }
      let lines = try await run(["zcat"] + files).succeeded() + text("\(folder)/out")
      let numbers = try lines.split(separator: "\n").map { try JSONValue(parsing: $0)["sequence"]?.int ?? -1 }
      let first = try #require(numbers.first)
      #expect(numbers == Array(first..<200) && numbers.count > 30)
    }
  }

  @Test func `a file of an earlier period is put aside, also after a restart`() async throws {
    try await withFolder { folder in
      let hour = WallClock { Timestamp(seconds: 1_800_000_000) }
      let json: JSONValue = ["path": "out", "rotate": ["every": "1h", "keep": 2]]
      func writer() throws -> any SinkWriter {
        try FileSinkPlugin(folder: folder, clock: hour).writer(for: SinkRequest(name: "n/f", specification: json))
      }
      func wrote(at seconds: Int) throws {
        let date = Date(timeIntervalSince1970: TimeInterval(seconds))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: "\(folder)/out")
      }
      #expect(await (try writer()).send(records(1...1)) == .delivered)
      try wrote(at: 1_800_000_001)
      #expect(await (try writer()).send(records(2...2)) == .delivered)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["out"])
      try wrote(at: 1_800_000_000 - 3_600)
      #expect(await (try writer()).send(records(3...3)) == .delivered)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["out", "out.1"])
      #expect(try text("\(folder)/out.1").split(separator: "\n").count == 2)
    }
  }

  @Test(
    arguments: [
      (["path": "o", "format": "xml"], "spec.file.format"), (["path": "o", "fsync": "Never"], "spec.file.fsync"),
      (["path": "o", "rotate": [:]], "spec.file.rotate"),
      (["path": "o", "rotate": ["maxBytes": 4095]], "spec.file.rotate.maxBytes"),
      (["path": "o", "rotate": ["every": "1s"]], "spec.file.rotate.every"),
      (["path": "o", "rotate": ["every": "1h", "keep": 0]], "spec.file.rotate.keep"),
    ] as [(JSONValue, String)])
  func `what cannot be served is refused by its field`(json: JSONValue, field: String) {
    #expect { _ = try writer("/nowhere", json) } throws: { "\($0)".contains(field) }
  }
}
