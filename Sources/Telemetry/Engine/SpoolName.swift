/// How a sink's key becomes the name of its spool's directory: `/` as `_`, what is no letter, digit, `-` or `.` inside
/// the name as `%XX`.
enum SpoolName {
  static func directory(of key: String) -> String {
    var name = ""
    for byte in key.utf8 {
      switch byte {
      case UInt8(ascii: "/"): name += "_"
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
        name.unicodeScalars.append(UnicodeScalar(byte))
      case UInt8(ascii: ".") where !name.isEmpty: name += "."
      default: name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return name
  }

  /// The key that ``directory(of:)`` made a name of; nil for other names.
  static func key(of directory: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(directory.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "_"): bytes.append(UInt8(ascii: "/"))
      case UInt8(ascii: "%"):
        guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(2)
      default: bytes.append(byte)
      }
    }
    guard let key = String(validating: bytes, as: UTF8.self), Self.directory(of: key) == directory else { return nil }
    return key
  }
}
