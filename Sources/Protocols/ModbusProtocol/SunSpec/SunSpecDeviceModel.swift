package import DeviceKit
import Documents

extension DiscoveredModel {
  /// The DeviceModel of a SunSpec device: one property for each of its points. Devices with the same layout have the same.
  ///
  /// What a device has not implemented reads as Bad: the standard's code for that stands in each binding, of an
  /// accumulator 0 (SunSpec Device Information Model Specification, section 5.3).
  package init(_ layout: SunSpecLayout) {
    let ids = layout.models.map { "\($0)" }.joined(separator: ", ")
    var description = "By the SunSpec information models that the device says it has, from register \(layout.base) on."
    if !layout.notes.isEmpty { description += " Left out: \(layout.notes.joined(separator: "; "))." }
    let named = layout.models.filter { $0 != 1 }.map { "\($0)" }.joined(separator: "-")
    self.init(
      nameHint: named.isEmpty ? "sunspec" : "sunspec-\(named)",
      specification: [
        "model": .string(String("SunSpec \(ids)".prefix(128))),
        "description": .string(String(description.prefix(4096))),
        "protocol": "modbus",
        "properties": .array(layout.places.map(\.property)),
      ])
  }
}

extension SunSpecLayout.Place {
  /// The property as a DeviceModel has it.
  fileprivate var property: JSONValue {
    var property: JSONValue = [
      "name": .string(name), "description": .string("SunSpec \(model) \(point.name)"), "type": .string(type.rawValue),
      "access": point.isWritable ? "ReadWrite" : "Read", "poll": ["every": .string(period)], "modbus": binding,
    ]
    if type == .array { property["items"] = "string" }
    if !point.unit.isEmpty { property["unit"] = .string(point.unit) }
    if point.isSummary { property["summary"] = true }
    return property
  }

  private var type: PropertyType {
    if point.type == .str { return .string }
    if !point.symbols.isEmpty { return point.type.isBitField ? .array : .string }
    return point.type.isFloat || point.scale != nil ? .number : .integer
  }

  private var binding: JSONValue {
    var binding: JSONValue = [
      "table": "holding", "address": .integer(Int64(address)),
      "encoding": .string((point.type.encoding ?? .uint16).rawValue),
    ]
    switch scale {
    case .none, .power(0): break
    case .register(let register): binding["scaleFrom"] = ["address": .integer(Int64(register))]
    case .power(let power): binding["scale"] = .double(powerOfTen(power))
    }
    if point.type == .str { binding["registers"] = .integer(Int64(point.registers)) }
    // A float says it by NaN.
    if !point.type.isFloat { binding["notAvailable"] = point.type.isAccumulator ? [0] : ["SunSpec"] }
    if !point.symbols.isEmpty {
      let (list, number, word) = point.type.isBitField ? ("flags", "bit", "name") : ("states", "raw", "text")
      binding[list] = .array(
        point.symbols.map { [number: .integer(Int64($0.value)), word: .string($0.name)] })
    }
    return binding
  }
}

/// 10 to the power of -10 to 10, as a decimal literal of it would be.
private func powerOfTen(_ power: Int) -> Double {
  var value = 1.0
  for _ in 0..<power.magnitude { value *= 10 }
  return power < 0 ? 1 / value : value
}
