package import DeviceKit
package import Documents

extension PayloadValue {
  /// The value as a property's type asks for it, under the rules of `Value.init(_:as:)`; nil where it is of another.
  package func value(as type: PropertyType) -> Value? {
    switch (type, self) {
    case (.number, .number(let value)): .number(value)
    case (.number, .integer(let value)): .number(Double(value))
    case (.number, .unsigned(let value)): .number(Double(value))
    case (.integer, .integer(let value)): .integer(value)
    case (.integer, .unsigned(let value)): .unsigned(value)
    case (.integer, .number(let value)): Int64(exactly: value).map { .integer($0) }
    case (.integer, .string(let text)): Value(.string(text), as: .integer)
    case (.boolean, .boolean(let value)): .boolean(value)
    case (.string, .string(let value)): .string(value)
    case (.object, .tree(let value)): .object(value)
    case (.array, .tree(.array(let elements))): .object(.array(elements))
    default: nil
    }
  }

  /// The value as a sample holds it, for one that is a number or a boolean and is asked for as such: what ``value(as:)``
  /// gives, without the value; nil for all others.
  func plain(as type: PropertyType) -> (kind: SampleKind, payload: UInt64)? {
    switch (type, self) {
    case (.number, .number(let value)): (.number, value.bitPattern)
    case (.number, .integer(let value)): (.number, Double(value).bitPattern)
    case (.integer, .integer(let value)): (.integer, UInt64(bitPattern: value))
    case (.boolean, .boolean(let value)): (.boolean, value ? 1 : 0)
    default: nil
    }
  }

  /// A payload of bare text read as `type`: numbers as JSON writes them, booleans as true/false, on/off or 1/0 in any
  /// case, objects as JSON.
  package func parsed(as type: PropertyType) -> Value? {
    guard case .string(let text) = self else { return nil }
    let trimmed = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    switch type {
    case .string: return .string(text)
    case .boolean:
      switch trimmed.lowercased() {
      case "true", "on", "1": return .boolean(true)
      case "false", "off", "0": return .boolean(false)
      default: return nil
      }
    case .integer, .number, .object, .array:
      return (try? JSONValue(parsing: trimmed)).flatMap { Value($0, as: type) }
    }
  }

  /// A time: RFC 3339, or a number of seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its
  /// size (1e11 seconds are the year 5138).
  package var time: Timestamp? {
    switch self {
    case .string(let text): return Timestamp(text)
    case .integer(let value) where value >= 0:
      let factor: Int64 =
        switch value {
        case ..<100_000_000_000: 1_000_000_000
        case ..<100_000_000_000_000: 1_000_000
        case ..<100_000_000_000_000_000: 1_000
        default: 1
        }
      let (nanoseconds, overflow) = value.multipliedReportingOverflow(by: factor)
      return overflow ? nil : Timestamp(nanoseconds: nanoseconds)
    case .number(let value) where value >= 0 && value < 9_000_000_000:
      return Timestamp(nanoseconds: Int64((value * 1e9).rounded()))
    case .number(let value) where value >= 1e11 && value < 9e12:
      return Timestamp(nanoseconds: Int64((value * 1e6).rounded()))
    default: return nil
    }
  }

  /// The JSON name of the type, for messages.
  var typeName: String {
    switch self {
    case .missing: "nothing"
    case .null: "null"
    case .boolean: "a boolean"
    case .integer, .unsigned: "an integer"
    case .number: "a number"
    case .string(let text): "the text '\(text.prefix(32))'"
    case .tree(.array): "an array"
    case .tree: "an object"
    }
  }
}
