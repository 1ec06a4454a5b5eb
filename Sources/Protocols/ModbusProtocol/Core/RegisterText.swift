package import DeviceKit

/// How a text lies in registers: characters, padding, end and trimming.
package struct RegisterText: Sendable, Hashable {
  package enum Charset: String, Sendable, Hashable, CaseIterable {
    case ascii = "ASCII"
    case utf8 = "UTF-8"
    case latin1 = "Latin-1"
  }
  /// Which bytes of a register hold characters: both, or one of them with the other one 0.
  package enum Characters: String, Sendable, Hashable, CaseIterable {
    case pairs = "Pairs"
    case low = "Low"
    case high = "High"
  }
  package enum Padding: String, Sendable, Hashable, CaseIterable {
    case nul = "NUL"
    case space = "Space"
  }
  package enum Trimming: String, Sendable, Hashable, CaseIterable {
    case both = "Both"
    case trailing = "Trailing"
    case none = "None"
  }

  /// Nil: UTF-8, and Latin-1 where the bytes are none.
  package var charset: Charset?
  package var characters = Characters.pairs
  /// What fills the registers behind a written text.
  package var padding = Padding.nul
  /// The byte that ends the text.
  package var terminator: UInt8 = 0
  /// Which spaces are taken off what is read.
  package var trimming = Trimming.both
  /// Whether an empty text means that the value is not available.
  package var isEmptyNotAvailable = false

  package init() {}

  /// How many bytes of text `registers` registers hold.
  package func capacity(_ registers: Int) -> Int { characters == .pairs ? registers * 2 : registers }

  /// The text in `registers`, which stand in the protocol's order.
  package func text(of registers: [UInt16]) throws(BadRegisters) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(registers.count * 2)
    for register in registers {
      if characters != .low { bytes.append(UInt8(register >> 8)) }
      if characters != .high { bytes.append(UInt8(truncatingIfNeeded: register)) }
    }
    if let end = bytes.firstIndex(of: terminator) { bytes.removeSubrange(end...) }
    while bytes.last == 0 { bytes.removeLast() }
    let text = try decoded(bytes)
    let printable = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
    var trimmed = printable[...]
    if trimming == .both { trimmed = trimmed.drop { $0 == " " } }
    if trimming != .none { while trimmed.last == " " { trimmed.removeLast() } }
    if trimmed.isEmpty, isEmptyNotAvailable { throw BadRegisters("not available (empty)") }
    return String(String.UnicodeScalarView(trimmed))
  }

  private func decoded(_ bytes: [UInt8]) throws(BadRegisters) -> String {
    switch charset {
    case .ascii?:
      if let byte = bytes.first(where: { $0 > 0x7F }) { throw BadRegisters("byte \(hexadecimal(byte)) is not ASCII") }
      return String(decoding: bytes, as: UTF8.self)
    case .utf8?:
      guard let text = String(validating: bytes, as: UTF8.self) else { throw BadRegisters("the text is not UTF-8") }
      return text
    case .latin1?: return Self.latin1(bytes)
    case nil: return String(validating: bytes, as: UTF8.self) ?? Self.latin1(bytes)
    }
  }

  private static func latin1(_ bytes: [UInt8]) -> String {
    String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
  }

  /// The `count` registers that hold `text`, in the protocol's order: the text, the terminator where there is room, the
  /// padding. Throws ``DeviceError`` `InvalidValue` for characters that the charset lacks, `OutOfRange` for too many.
  package func registers(of text: String, count: Int) throws(DeviceError) -> [UInt16] {
    var bytes: [UInt8] = []
    switch charset {
    case .utf8?, nil: bytes = Array(text.utf8)
    case .ascii?, .latin1?:
      let last: UInt32 = charset == .ascii ? 0x7F : 0xFF
      for scalar in text.unicodeScalars {
        guard scalar.value <= last else {
          throw DeviceError(
            reason: "InvalidValue", message: "'\(scalar)' is not in \(charset?.rawValue ?? "")", isPermanent: true)
        }
        bytes.append(UInt8(scalar.value))
      }
    }
    guard !bytes.contains(terminator) else {
      throw DeviceError(
        reason: "InvalidValue", message: "the text holds byte \(hexadecimal(terminator)), which would end it",
        isPermanent: true)
    }
    let capacity = capacity(count)
    guard bytes.count <= capacity else {
      throw DeviceError(
        reason: "OutOfRange",
        message: "the text has \(bytes.count) bytes, its \(count) registers hold \(capacity)", isPermanent: true)
    }
    if terminator != 0, bytes.count < capacity { bytes.append(terminator) }
    bytes += [UInt8](repeating: padding == .nul ? 0 : 0x20, count: capacity - bytes.count)
    return (0..<count).map { index in
      switch characters {
      case .pairs: UInt16(bytes[index * 2]) << 8 | UInt16(bytes[index * 2 + 1])
      case .low: UInt16(bytes[index])
      case .high: UInt16(bytes[index]) << 8
      }
    }
  }
}

/// `0x8000`, with two digits or more.
func hexadecimal(_ number: some UnsignedInteger) -> String {
  let digits = String(number, radix: 16, uppercase: true)
  return (digits.count % 2 == 1 ? "0x0" : "0x") + digits
}
