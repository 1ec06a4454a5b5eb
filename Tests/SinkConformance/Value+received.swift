public import DeviceKit
public import Documents

extension Value {
  /// The value that a receiver of JSON understands; nil for null. Decimal strings past `Int64.max` are integers.
  public init?(received json: JSONValue) {
    switch json {
    case .null: return nil
    case .bool(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .unsigned(let value): self = .unsigned(value)
    case .double(let value): self = .number(value)
    case .string(let text):
      if let number = UInt64(text), number > UInt64(Int64.max), text == number.description {
        self = .unsigned(number)
      } else {
        self = .string(text)
      }
    default: self = .object(json)
    }
  }
}
