/// What may stand in one level of a topic (MQTT 5, section 4.7; MQTT 3.1.1, sections 1.5.3 and 4.7).
enum TopicName {
  /// `text` with what a level cannot hold written as `%` and two hexadecimal digits a byte: `/`, `+`, `#`, `%`, control
  /// characters and what Unicode calls no character. Different texts stay different.
  static func level(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isEscaped) else { return text }
    var level = ""
    for scalar in text.unicodeScalars {
      guard isEscaped(scalar) else {
        level.unicodeScalars.append(scalar)
        continue
      }
      for byte in String(scalar).utf8 {
        level += byte < 16 ? "%0" : "%"
        level += String(byte, radix: 16, uppercase: true)
      }
    }
    return level
  }

  private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x23, 0x25, 0x2B, 0x2F, 0x00...0x1F, 0x7F...0x9F, 0xFDD0...0xFDEF: true
    case let value: value & 0xFFFE == 0xFFFE
    }
  }
}
