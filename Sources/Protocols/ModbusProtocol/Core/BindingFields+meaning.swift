import DeviceKit
import Documents

/// The fields that say what raw numbers, bits and bytes mean.
extension BindingFields {
  func states(_ codec: RegisterCodec) throws(DeviceError) -> [RegisterState] {
    guard let value = values["states"] else { return [] }
    guard let list = value.array, !list.isEmpty else { throw error("states", "must be a list of raw and text") }
    guard codec.encoding.isInteger || codec.encoding.isBCD else { throw error("states", "needs an integer encoding") }
    var states: [RegisterState] = []
    for (index, entry) in list.enumerated() {
      guard let raw = entry["raw"]?.integer, let text = entry["text"]?.string, !text.isEmpty else {
        throw error("states[\(index)]", "needs raw, a whole number, and text")
      }
      guard let range = codec.rawRange, range.contains(Int128(raw)) else {
        throw error("states[\(index)].raw", "\(raw) does not fit the value's bits")
      }
      guard !states.contains(where: { $0.raw == raw }) else {
        throw error("states[\(index)].raw", "\(raw) is there twice")
      }
      guard !states.contains(where: { $0.text == text }) else {
        throw error("states[\(index)].text", "'\(text)' is there twice")
      }
      states.append(RegisterState(raw: raw, text: text))
    }
    return states
  }

  func flags(_ encoding: RegisterEncoding) throws(DeviceError) -> [RegisterFlag] {
    guard let value = values["flags"] else { return [] }
    guard let list = value.array, !list.isEmpty else { throw error("flags", "must be a list of bit and name") }
    for field in ["states", "bit", "bits", "byte", "fractionBits", "scaleFrom"] where values[field] != nil {
      throw error("flags", "and \(field) exclude each other: give one of them")
    }
    guard encoding.isInteger, !encoding.isByte else {
      throw error("flags", "needs an integer encoding of 16, 32 or 64 bits")
    }
    var flags: [RegisterFlag] = []
    for (index, entry) in list.enumerated() {
      guard let bit = entry["bit"]?.int, let name = entry["name"]?.string, !name.isEmpty else {
        throw error("flags[\(index)]", "needs bit and name")
      }
      guard (0..<encoding.bitWidth).contains(bit) else {
        throw error("flags[\(index)].bit", "\(bit) is beyond \(encoding.rawValue), \(encoding.bitWidth - 1) at most")
      }
      guard !flags.contains(where: { $0.bit == bit }) else {
        throw error("flags[\(index)].bit", "\(bit) is there twice")
      }
      guard !flags.contains(where: { $0.name == name }) else {
        throw error("flags[\(index)].name", "'\(name)' is there twice")
      }
      flags.append(RegisterFlag(bit: bit, name: name))
    }
    return flags.sorted { $0.bit < $1.bit }
  }

  func text(_ encoding: RegisterEncoding) throws(DeviceError) -> RegisterText {
    var text = RegisterText()
    guard let fields = values["text"] else { return text }
    guard encoding == .string else { throw error("text", "goes with encoding string") }
    guard fields.object != nil else { throw error("text", "must be an object") }
    text.charset = try choice("charset", RegisterText.Charset.self, in: fields, under: "text.")
    text.characters = try choice("characters", RegisterText.Characters.self, in: fields, under: "text.") ?? .pairs
    text.padding = try choice("padding", RegisterText.Padding.self, in: fields, under: "text.") ?? .nul
    text.trimming = try choice("trim", RegisterText.Trimming.self, in: fields, under: "text.") ?? .both
    text.terminator = UInt8(try whole("terminator", 0...255, in: fields, under: "text.") ?? 0)
    return text
  }

  /// Raw bits that mean no value, and whether an empty text does.
  func notAvailable(_ codec: RegisterCodec) throws(DeviceError) -> ([UInt64], Bool) {
    var patterns: [UInt64] = []
    var isEmptyNotAvailable = false
    let width = codec.field?.count ?? codec.encoding.bitWidth
    guard let value = values["notAvailable"] else { return ([], false) }
    guard let list = value.array else { throw error("notAvailable", "must be a list of raw values") }
    for (index, entry) in list.enumerated() {
      let place = "notAvailable[\(index)]"
      if entry.string == "SunSpec" {
        if codec.encoding == .string {
          isEmptyNotAvailable = true
        } else if let pattern = codec.encoding.sunSpecNotImplemented, codec.field == nil {
          patterns.append(pattern)
        } else {
          throw error(
            place,
            "SunSpec has no code for a \(codec.field == nil ? codec.encoding.rawValue : "part of a register"): give the raw value"
          )
        }
        continue
      }
      guard codec.encoding != .string else { throw error(place, "a string takes SunSpec only, which is an empty one") }
      guard let pattern = Self.pattern(entry, width: width) else {
        throw error(place, "must be a raw value of \(width) bits such as 32768, -1 or \"0x8000\", or SunSpec")
      }
      patterns.append(pattern)
    }
    return (patterns, isEmptyNotAvailable)
  }

  private static func pattern(_ entry: JSONValue, width: Int) -> UInt64? {
    let limit = ~0 >> UInt64(64 - width) as UInt64
    switch entry {
    case .integer(let value) where value < 0:
      guard Int128(value) >= -(Int128(1) << Int128(width - 1)) else { return nil }
      return UInt64(bitPattern: value) & limit
    case .integer(let value): return UInt64(value) <= limit ? UInt64(value) : nil
    case .unsigned(let value): return value <= limit ? value : nil
    case .string(let text):
      let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : nil
      guard let value = digits.map({ UInt64($0, radix: 16) }) ?? UInt64(text), value <= limit else { return nil }
      return value
    default: return nil
    }
  }

  /// The register of the value's power of ten, in the value's own table.
  func scaleFactor(table: RegisterTable, address: UInt16) throws(DeviceError) -> ScaleFactorPlace? {
    guard let fields = values["scaleFrom"] else { return nil }
    let place = try location(in: fields, under: "scaleFrom.", table: table)
    guard place.0 == table else {
      throw error("scaleFrom.register", "lies in table \(place.0.rawValue), the value in \(table.rawValue)")
    }
    return ScaleFactorPlace(address: place.1, valueAddress: address)
  }
}
