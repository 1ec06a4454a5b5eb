internal import DeviceKit

extension Value {
  /// The value of a kind and payload kept apart from its batch; `side` is the string or object where it is one.
  init?(kind: SampleKind, payload: UInt64, side: Value?) {
    if kind == .side {
      guard let side else { return nil }
      self = side
    } else {
      self.init(kind: kind, payload: payload, sideValues: [])
    }
  }

  /// Whether the value lies beside a batch's columns.
  var isSide: Bool {
    switch self {
    case .string, .object: true
    default: false
    }
  }

  /// The payload of a value that is no string or object; 0 for these.
  var payload: UInt64 {
    switch self {
    case .boolean(let value): value ? 1 : 0
    case .integer(let value): UInt64(bitPattern: value)
    case .unsigned(let value): value
    case .number(let value): value.bitPattern
    case .string, .object: 0
    }
  }

  var kind: SampleKind {
    switch self {
    case .boolean: .boolean
    case .integer: .integer
    case .unsigned: .unsigned
    case .number: .number
    case .string, .object: .side
    }
  }
}
