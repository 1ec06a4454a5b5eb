import Documents
import Testing

@Suite("JSON")
struct JSONTests {
  static let values: [(String, JSONValue)] = [
    ("null", nil), ("true", true), ("0", 0), ("-0", 0), ("-1", -1), ("9223372036854775807", .integer(.max)),
    ("9223372036854775808", .unsigned(9_223_372_036_854_775_808)), ("18446744073709551615", .unsigned(.max)),
    ("18446744073709551616", .double(18_446_744_073_709_551_616)), ("1.5e3", 1500.0), ("1E-2", 0.01), ("\"\"", ""),
    ("\"a\\n\\t\\\"\\\\\\/\\u00e9\"", "a\n\t\"\\/é"), ("\"\\ud83d\\ude00\"", "😀"), (" [ 1 , 2 ] ", [1, 2]), ("{}", [:]),
    ("{\"a\":{\"b\":[]}}", ["a": ["b": []]]),
  ]
  @Test("a text gives its value", arguments: values)
  func parse(text: String, value: JSONValue) throws { #expect(try JSONValue(parsing: text) == value) }

  static let faults: [(String, offset: Int)] = [
    ("", 0), ("tru", 0), ("01", 0), ("1.", 2), ("1e", 2), ("[1,]", 3), ("{\"a\" 1}", 5), ("{a:1}", 1), ("\"a", 2),
    ("\"\u{1}\"", 1),
    ("\"\\x\"", 2), ("\"\\ud800\"", 6), ("1 2", 2), ("1e999", 0), ("[", 1), ("nul", 0), ("+1", 0), (".5", 0),
  ]
  @Test("a text that is not JSON is refused at its place", arguments: faults)
  func refuse(text: String, offset: Int) {
    #expect { try JSONValue(parsing: text) } throws: { ($0 as? JSONError)?.offset == offset }
  }

  @Test("bytes that are not UTF-8 are refused")
  func utf8() { #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22]) } }

  @Test("depth is bounded")
  func depth() {
    #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 200)) }
  }

  @Test("keys that occur twice are noted with their path, and the last value counts")
  func duplicates() throws {
    var parser = JSONParser(Array("{\"a\":{\"b\":1,\"b\":2},\"a\":3}".utf8))
    #expect(try parser.parse() == ["a": 3])
    #expect(parser.duplicateKeys == ["a.b", "a"])
  }

  static let texts: [(JSONValue, String)] = [
    (["b": 1, "a": [nil, true]], "{\"a\":[null,true],\"b\":1}"), (.double(3), "3"), (0.1, "0.1"),
    (.double(-0.0), "-0.0"),
    (1e300, "1e+300"), ("a\"\\\n\u{1}é", "\"a\\\"\\\\\\n\\u0001é\""), (.unsigned(.max), "18446744073709551615"),
    (.double(.infinity), "null"),
  ]
  @Test("a value gives one text, keys sorted", arguments: texts)
  func serialise(value: JSONValue, text: String) { #expect(value.description == text) }

  // A whole number is written without a fraction and reads back as an integer.
  @Test("what is written reads back", arguments: values.map(\.1).filter { $0 != 1500.0 })
  func roundTrip(value: JSONValue) throws {
    #expect(try JSONValue(parsing: value.serialised()) == value)
    #expect(try JSONValue(parsing: value.serialised(pretty: true)) == value)
  }

  static let merges: [(JSONValue, JSONValue, JSONValue)] = [
    (["a": "b"], ["a": "c"], ["a": "c"]), (["a": "b"], ["b": "c"], ["a": "b", "b": "c"]), (["a": "b"], ["a": nil], [:]),
    (["a": ["b"]], ["a": "c"], ["a": "c"]), (["a": ["b": "c"]], ["a": ["b": "d", "c": nil]], ["a": ["b": "d"]]),
    (["a": [["b": "c"]]], ["a": [1]], ["a": [1]]), (["e": nil], ["a": 1], ["e": nil, "a": 1]),
    ([1, 2], ["a": "b", "c": nil], ["a": "b"]),
    ([:], ["a": ["bb": ["ccc": nil]]], ["a": ["bb": [:]]]),
  ]
  @Test("merge patches follow RFC 7386's own examples", arguments: merges)
  func merge(target: JSONValue, patch: JSONValue, result: JSONValue) { #expect(target.merging(patch) == result) }
}

@Suite("Times, spans and sizes")
struct ScalarTests {
  static let times: [(String, Int64)] = [
    ("1970-01-01T00:00:00Z", 0), ("2026-11-21T04:07:00Z", 1_795_234_020_000_000_000),
    ("2000-02-29T23:59:59.5Z", 951_868_799_500_000_000),
    ("2026-11-21T06:07:00+02:00", 1_795_234_020_000_000_000), ("1969-12-31T23:59:59.999Z", -1_000_000),
    ("2026-11-21t04:07:00.000000001z", 1_795_234_020_000_000_001),
  ]
  @Test("RFC 3339", arguments: times)
  func time(text: String, nanoseconds: Int64) { #expect(Timestamp(text)?.nanoseconds == nanoseconds) }

  @Test(
    "texts that are no time",
    arguments: [
      "", "2026-11-21", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T04:07:00", "2026-11-21T04:07:00.Z",
      "2026-11-21T04:07:00+0200", "2026-11-21T04:07:00Zx",
    ])
  func noTime(text: String) { #expect(Timestamp(text) == nil) }

  @Test("a time is written in three precisions and read back")
  func texts() {
    let time = Timestamp(nanoseconds: 1_795_234_020_123_456_789)
    #expect(time.secondsText == "2026-11-21T04:07:00Z" && time.description == "2026-11-21T04:07:00.123Z")
    #expect(time.microsecondsText == "2026-11-21T04:07:00.123456Z")
    #expect(Timestamp(nanoseconds: -1).secondsText == "1969-12-31T23:59:59Z")
  }

  static let spans: [(String, Duration?)] = [
    ("1s", .seconds(1)), ("500ms", .milliseconds(500)), ("1h30m", .seconds(5_400)), ("168h", .seconds(604_800)),
    ("0s", .zero),
    ("1h1m1s1ms", .milliseconds(3_661_001)), ("2d", nil), ("", nil), ("5", nil), ("123456s", nil), ("1s1s1s1s1s", nil),
    ("-1s", nil), ("1.5s", nil),
  ]
  @Test("spans as manifests write them", arguments: spans)
  func span(text: String, span: Duration?) { #expect(Duration(manifest: text) == span) }

  static let sizes: [(String, Int64?)] = [
    ("256Mi", 268_435_456), ("10M", 10_000_000), ("1024", 1_024), ("1Ki", 1_024), ("2k", 2_000), ("0", 0), ("", nil),
    ("-1", nil),
    ("1.5Gi", nil), ("many", nil), ("9999999999999Ti", nil),
  ]
  @Test("sizes as Kubernetes writes them", arguments: sizes)
  func size(text: String, bytes: Int64?) { #expect(Quantity.bytes(text) == bytes) }
}
