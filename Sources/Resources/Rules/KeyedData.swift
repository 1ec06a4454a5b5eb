internal import Documents

/// The maps of a Secret or a ConfigMap: rules about their keys, their size, and their immutability (Kubernetes, package
/// core/validation).
struct KeyedData {
  /// Of all values together, in bytes.
  static let maximumSize = 1 << 20

  /// The object without those of the members that are null: for typed clients absent and null are the same.
  static func withoutNulls(_ object: JSONValue, _ members: [String]) -> JSONValue {
    var object = object
    for member in members where object[member]?.isNull == true { object[member] = nil }
    return object
  }

  /// The member's base64 values in the one form that is stored: padded, without line ends. What is no base64 stays.
  static func canonical(_ object: JSONValue, _ member: String) -> JSONValue {
    guard let map = object[member]?.object else { return object }
    var object = object
    object[member] = .object(
      map.mapValues { value in
        value.string.flatMap { Base64.bytes(of: $0) }.map { .string(Base64.text(of: $0)) } ?? value
      })
    return object
  }

  /// What is wrong with the keys of a map.
  static func keyFaults(in object: JSONValue, _ member: String) -> [APIStatus.Cause] {
    (object[member]?.object ?? [:]).keys.sorted().compactMap { key in
      fault(inKey: key).map {
        APIStatus.Cause(
          reason: "FieldValueInvalid", message: "Invalid value: \(JSONValue.string(key)): \($0)",
          field: "\(member)[\(key)]")
      }
    }
  }

  private static func fault(inKey key: String) -> String? {
    let isAllowed = { (byte: UInt8) in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
    if key.isEmpty || !key.utf8.allSatisfy(isAllowed) {
      return
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    }
    if key.utf8.count > 253 { return "must be no more than 253 characters" }
    if key == "." { return "must not be '.'" }
    if key == ".." { return "must not be '..'" }
    return key.hasPrefix("..") ? "must not start with '..'" : nil
  }

  /// What is no base64, and how many bytes the values hold. The values themselves are never told.
  static func decoding(_ object: JSONValue, _ member: String) -> (faults: [APIStatus.Cause], size: Int) {
    var faults: [APIStatus.Cause] = []
    var size = 0
    for (key, value) in (object[member]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let text = value.string else { continue }
      if let bytes = Base64.bytes(of: text) {
        size += bytes.count
      } else {
        faults.append(
          APIStatus.Cause(
            reason: "FieldValueInvalid", message: "Invalid value: must be base64 with padding (RFC 4648, section 4)",
            field: "\(member)[\(key)]"))
      }
    }
    return (faults, size)
  }

  static func sizeFault(_ size: Int) -> [APIStatus.Cause] {
    guard size > maximumSize else { return [] }
    return [
      APIStatus.Cause(
        reason: "FieldValueTooLong", message: "Too long: may not be more than \(maximumSize) bytes", field: "data")
    ]
  }

  /// What an object that is immutable must keep.
  static func immutabilityFaults(_ object: JSONValue, since old: JSONValue?, _ members: [String]) -> [APIStatus.Cause] {
    guard let old, old["immutable"]?.bool == true else { return [] }
    let changed = members.filter { (object[$0] ?? [:]) != (old[$0] ?? [:]) }
    let flag = object["immutable"]?.bool == true ? [] : ["immutable"]
    return (flag + changed).map {
      APIStatus.Cause(
        reason: "FieldValueForbidden", message: "Forbidden: field is immutable when `immutable` is set", field: $0)
    }
  }
}
