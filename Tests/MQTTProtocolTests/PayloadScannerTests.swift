import DeviceKit
import Documents
import MQTTProtocol
import Testing

@Suite struct PayloadScannerTests {
  static let paths = ["", "a", "b", "a.b", "a[0]", "a[1].b", "b.a.a", "[0]", "[1].a", "c[0][1]", "a.c"]

  /// The value at a path as the tree has it.
  static func lookup(_ json: JSONValue, _ path: String) throws -> PayloadValue {
    var current = json
    for step in try PathTree.steps(of: path) {
      switch step {
      case .key(let key):
        guard let next = current[key] else { return .missing }
        current = next
      case .element(let index):
        guard let array = current.array, index < array.count else { return .missing }
        current = array[index]
      }
    }
    return switch current {
    case .null: .null
    case .bool(let value): .boolean(value)
    case .integer(let value): .integer(value)
    case .unsigned(let value): .unsigned(value)
    case .double(let value): .number(value)
    case .string(let value): .string(value)
    case .array, .object: .tree(current)
    }
  }

  static func text(_ depth: Int, _ random: inout SplitMix64) -> String {
    let space = ["", "", "", " ", "\n\t"].randomElement(using: &random)!
    switch Int.random(in: 0..<(depth > 3 ? 7 : 10), using: &random) {
    case 0: return "true" + space
    case 1: return "null"
    case 2:
      return [
        "0", "-0", "-0.0", "1e3", "1E-2", "9223372036854775807", "9223372036854775808", "18446744073709551616",
        "-9223372036854775808", "0.1", "3.0", "123456789012345678901234.5", "1e400", "01", "1.", "-", "2.5e+2",
        "4.35", "1.7976931348623157e308", "5e-324", "0.000000000000000000000001", "999999999999999999",
      ].randomElement(using: &random)!
    case 3: return String(Double.random(in: -1e6...1e6, using: &random))
    case 4: return String(Int64.random(in: .min ... .max, using: &random))
    case 5:
      return String(Int.random(in: -1000...1000, using: &random)) + "."
        + String(Int.random(in: 0...99999, using: &random))
    case 6:
      return [
        "\"x\"", "\"\\u00e9\"", "\"é\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\q\"", "\"a\\\"b\"", "\"unended",
        "\"\"",
        "\"\u{1}\"",
      ].randomElement(using: &random)!
    case 7:
      let count = Int.random(in: 0...3, using: &random)
      return "[" + (0..<count).map { _ in text(depth + 1, &random) }.joined(separator: space + ",") + space + "]"
    default:
      let count = Int.random(in: 0...4, using: &random)
      let members = (0..<count).map { _ in
        ["\"a\"", "\"b\"", "\"c\"", "\"\\u0061\"", "\"dd\""].randomElement(using: &random)! + ":" + space
          + text(depth + 1, &random)
      }
      return "{" + space + members.joined(separator: ", ") + "}"
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4]) func theScannerAgreesWithTheParser(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let tree = try PathTree(Self.paths)
    var (accepted, refused) = (0, 0)
    for round in 0..<5_000 {
      var bytes = Array(Self.text(0, &random).utf8)
      // Every third text is damaged: a byte replaced, taken out or added.
      if round % 3 == 0, !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert("{}[],:\"\\0".utf8.randomElement(using: &random)!, at: place)
        }
      }
      let parsed = Result { try JSONValue(parsing: bytes) }
      let scanned = Result { try PayloadScanner.values(in: bytes, at: tree) }
      switch (parsed, scanned) {
      case (.success(let json), .success(let values)):
        accepted += 1
        for (path, value) in zip(Self.paths, values) {
          let expected = try Self.lookup(json, path)
          if case .number(let left) = expected, case .number(let right) = value {
            if left.bitPattern != right.bitPattern { Issue.record("\(left) is not \(right)") }
          } else if value != expected {
            Issue.record("\(path) of \(String(decoding: bytes, as: UTF8.self)): \(value)")
          }
        }
      case (.failure, .failure): refused += 1
      default: Issue.record("one accepts: \(String(decoding: bytes, as: UTF8.self)) \(parsed) \(scanned)")
      }
    }
    #expect(accepted > 1_500 && refused > 300)
  }

  /// Strings are passed eight bytes at a time: what ends or spoils one is met at each place of such a word.
  @Test(arguments: ["\"", "\\", "\\u00e9", "\u{1}", "\u{1F}", " ", "é", "\u{7F}", "\u{20AC}"])
  func aStringIsReadAlikeWhereverItsSpecialBytesStand(special: String) throws {
    let tree = try PathTree(["a", ""])
    for before in 0..<20 {
      for after in 0..<20 {
        let text = String(repeating: "x", count: before) + special + String(repeating: "y", count: after)
        let bytes = Array(#"{"a":"\#(text)"}"#.utf8)
        let parsed = try? JSONValue(parsing: bytes)
        let scanned = try? PayloadScanner.values(in: bytes, at: tree)
        #expect(scanned?[0] == parsed?["a"]?.string.map { .string($0) }, "\(before) before, \(after) after")
        #expect(scanned?[1] == parsed.map { .tree($0) })
      }
    }
  }

  @Test(arguments: [
    (#"{"a":{"b":1},"a":{"c":2}}"#, [PayloadValue.missing, .integer(2), .tree(["c": 2])]),
    (#"{"a":{"b":1,"c":3},"a":7}"#, [.missing, .missing, .integer(7)]),
    (#"{"a":7,"a":{"b":1}}"#, [.integer(1), .missing, .tree(["b": 1])]),
  ])
  func theLastOfEqualKeysCounts(text: String, values: [PayloadValue]) throws {
    #expect(try PayloadScanner.values(in: Array(text.utf8), at: PathTree(["a.b", "a.c", "a"])) == values)
  }

  @Test(arguments: ["a..b", ".a", "a[", "a[x]", "a[-1]", "a]b["]) func aBadPathIsRefused(path: String) {
    #expect(throws: PathTree.Problem.self) { try PathTree.steps(of: path == "a]b[" ? "a[0" : path) }
  }

  @Test(arguments: [
    (PropertyType.number, "21.5", Value.number(21.5)), (.number, "3", .number(3)), (.integer, "3.0", .integer(3)),
    (.integer, "18446744073709551615", .unsigned(.max)), (.boolean, "ON", .boolean(true)),
    (.boolean, "0", .boolean(false)),
    (.string, " x ", .string(" x ")), (.object, "[1]", .object([1])),
  ])
  func bareTextIsReadByType(type: PropertyType, text: String, value: Value) {
    #expect(PayloadValue.string(text).parsed(as: type) == value)
  }

  @Test(arguments: [(PropertyType.number, "warm"), (.integer, "3.5"), (.boolean, "2"), (.object, "{")])
  func bareTextOfAnotherTypeIsNone(type: PropertyType, text: String) {
    #expect(PayloadValue.string(text).parsed(as: type) == nil)
  }

  @Test(arguments: [
    (PayloadValue.string("2026-01-02T03:04:05.5Z"), Int64(1_767_323_045_500_000_000)),
    (.integer(1_767_323_045), 1_767_323_045_000_000_000), (.integer(1_767_323_045_123), 1_767_323_045_123_000_000),
    (.integer(1_767_323_045_123_456), 1_767_323_045_123_456_000), (.number(1.5), 1_500_000_000),
  ])
  func aTimeIsReadBySize(value: PayloadValue, nanoseconds: Int64) {
    #expect(value.time == Timestamp(nanoseconds: nanoseconds))
  }

  @Test(arguments: [
    ("{\"interval\": {value}}", Value.integer(10), "{\"interval\": 10}"), ("{value}", .string("a\"b"), "\"a\\\"b\""),
    ("{\"mode\":\"{value}\"}", .string("a\"b"), "{\"mode\":\"a\\\"b\"}"),
    ("{\"n\":\"{value}\"}", .number(1.5), "{\"n\":\"1.5\"}"),
    ("{value}", .unsigned(.max), "18446744073709551615"),
    ("{\"a\":{value},\"b\":{value}}", .boolean(true), "{\"a\":true,\"b\":true}"),
  ])
  func aSetPayloadIsFilled(template: String, value: Value, text: String) {
    #expect(String(decoding: SetPayload(template, isText: false).bytes(for: value), as: UTF8.self) == text)
  }
}
