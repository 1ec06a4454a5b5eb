import DeviceKit
import Documents
import FileSink
import Foundation
import SinkConformance
import SinkKit
import TestSupport
import Testing

@Suite struct FileSinkConformanceTests {
  /// A file sink whose folder can be taken away.
  private func subject(_ format: String) throws -> SinkUnderTest {
    let scratch = try ScratchFolder()
    // Within a folder that goes at one stroke: nothing can be made below it then.
    let folder = scratch("disk/exports")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/a/out"
    return SinkUnderTest(
      writer: {
        try FileSinkPlugin(folder: folder).writer(
          for: SinkRequest(name: "default/f", specification: ["path": "a/out", "format": .string(format)]))
      },
      received: {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        return try format == "csv" ? CSVText.arrivals(text) : text.split(separator: "\n").map(Self.arrival)
      },
      takeAway: { try FileManager.default.moveItem(atPath: scratch("disk"), toPath: scratch("away")) },
      bringBack: { try FileManager.default.moveItem(atPath: scratch("away"), toPath: scratch("disk")) })
  }

  private static func arrival(_ line: Substring) throws -> SinkUnderTest.Arrival {
    let json = try JSONValue(parsing: String(line))
    var fields: [String: Value] = [:]
    for (name, value) in json["fields"]?.object ?? [:] { fields[name] = Value(received: value) }
    return SinkUnderTest.Arrival(
      device: json["device"]?.string ?? "", property: json["property"]?.string ?? "",
      time: Timestamp(json["time"]?.string ?? "") ?? Timestamp(seconds: 0), fields: fields)
  }

  static let abilities = Set(SinkUnderTest.Ability.allCases).subtracting([.refusal, .credentials])

  @Test(arguments: SinkConformance.rules(for: abilities))
  func `lines of JSON`(rule: SinkRule) async throws { try await rule.hold(on: try subject("ndjson")) }

  @Test(arguments: SinkConformance.rules(for: abilities))
  func `CSV`(rule: SinkRule) async throws { try await rule.hold(on: try subject("csv")) }
}

/// Reads CSV as RFC 4180 has it, with no regard for how ours is written.
enum CSVText {
  static func arrivals(_ text: String) throws -> [SinkUnderTest.Arrival] {
    let rows = self.rows(text)
    guard let head = rows.first else { return [] }
    var arrivals: [SinkUnderTest.Arrival] = []
    for row in rows.dropFirst() {
      guard row.count == head.count else { throw Trouble("\(row.count) columns of \(head.count): \(row)") }
      let cells = Dictionary(zip(head, row), uniquingKeysWith: { $1 })
      var fields: [String: Value] = [:]
      if let name = cells["field"], !name.isEmpty, let type = cells["type"], let text = cells["value"] {
        fields[name] = try value(type, text)
      }
      let arrival = SinkUnderTest.Arrival(
        device: cells["device"] ?? "", property: cells["property"] ?? "",
        time: Timestamp(cells["time"] ?? "") ?? Timestamp(seconds: 0), fields: fields)
      // The lines of one record's fields follow one another.
      if let last = arrivals.last, last.device == arrival.device, last.property == arrival.property,
        last.time == arrival.time, !fields.isEmpty, last.fields[fields.keys.first!] == nil
      {
        arrivals[arrivals.count - 1].fields.merge(fields) { $1 }
      } else {
        arrivals.append(arrival)
      }
    }
    return arrivals
  }

  private static func value(_ type: String, _ text: String) throws -> Value? {
    switch type {
    case "boolean": return .boolean(text == "true")
    case "integer": return Int64(text).map { .integer($0) } ?? UInt64(text).map { .unsigned($0) }
    case "number": return Double(text).map { .number($0) }
    case "string": return .string(text)
    case "object": return .object(try JSONValue(parsing: text))
    default: throw Trouble("type '\(type)'")
    }
  }

  private static func rows(_ text: String) -> [[String]] {
    var rows: [[String]] = []
    var (row, cell, isQuoted, wasQuoted): ([String], String, Bool, Bool) = ([], "", false, false)
    for scalar in text.unicodeScalars {
      if isQuoted {
        if scalar == "\"" { (isQuoted, wasQuoted) = (false, true) } else { cell.unicodeScalars.append(scalar) }
      } else if scalar == "\"" {
        if wasQuoted { cell += "\"" }
        (isQuoted, wasQuoted) = (true, false)
      } else if scalar == "," || scalar == "\n" {
        row.append(cell)
        (cell, wasQuoted) = ("", false)
        if scalar == "\n" {
          rows.append(row)
          row = []
        }
      } else {
        cell.unicodeScalars.append(scalar)
      }
    }
    return rows
  }
}
