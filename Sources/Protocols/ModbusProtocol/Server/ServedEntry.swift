package import DeviceKit
package import Documents

/// What a read of a value that has no good quality gets.
package enum BadValuePolicy: String, Sendable, Hashable, CaseIterable {
  /// Exception 4, for the whole request.
  case exception = "Exception"
  /// The raw value that stands for none.
  case sentinel = "Sentinel"
  /// The last value; exception 4 where there never was one.
  case last = "Last"
}

/// What lies at some addresses of a served table.
package struct ServedEntry: Sendable, Hashable {
  package enum Content: Sendable, Hashable {
    case property(ServedProperty)
    /// The seconds since the server started.
    case heartbeat
    /// One bit for each property of the map.
    case quality
  }
  package var content: Content
  package var table: RegisterTable
  package var address: Int
  /// How many addresses it takes.
  package var count: Int
  /// In registers the bits that are the entry's, one mask for each address.
  package var masks: [UInt16]
  /// Names it in messages: `spec.servers[0].modbus.map[2]`.
  package var place: String

  package var end: Int { address + count }

  /// The bits of the entry at an address that it takes.
  package func mask(at address: Int) -> UInt16 { masks[address - self.address] }
}

/// A property in a served map.
package struct ServedProperty: Sendable, Hashable {
  package var name: PointName
  package var isWritable: Bool
  package var onBad: BadValuePolicy
  /// The entry's fields, without those that are no model's.
  package var binding: JSONValue

  /// The property as a model would have it, of the type that the encoding gives by itself.
  var naturalDefinition: PropertyDefinition {
    let isFraction = ["scale", "offset", "fractionBits"].contains { binding[$0] != nil }
    let encoding = binding["encoding"]?.string ?? "uint16"
    var type: PropertyType =
      binding["states"] != nil || encoding == "string"
      ? .string : encoding.hasPrefix("float") || isFraction ? .number : .integer
    if binding["flags"] != nil || binding["count"] != nil { type = .array }
    if binding["fractionBits"] != nil, type == .integer { type = .number }
    return definition(type: type, items: nil)
  }

  func definition(type: PropertyType, items: PropertyType?) -> PropertyDefinition {
    PropertyDefinition(
      name: name.property, type: type, access: isWritable ? .readWrite : .read, binding: binding, items: items)
  }

  /// How the property lies in the table, if it is of this type. Throws a permanent ``DeviceError`` that names `place` and
  /// the field.
  func codec(_ definition: PropertyDefinition, place: String) throws(DeviceError) -> (PropertyBinding, [UInt16]?) {
    var binding = try PropertyBinding(definition, place: place)
    guard onBad == .sentinel else { return (binding, nil) }
    guard let sentinel = binding.codec.takeSentinel(table: binding.table) else {
      throw DeviceError(
        reason: "InvalidBinding",
        message:
          "\(place).onBad: Sentinel needs notAvailable, the raw value that stands for none, which the encoding has not by itself",
        isPermanent: true)
    }
    return (binding, sentinel)
  }
}

extension RegisterCodec {
  /// The registers that mean that there is no value: the first of ``notAvailable``, else what SunSpec has for the
  /// encoding, which is then taken for it in both directions; NaN for floats, an empty text. Nil where there is none.
  mutating func takeSentinel(table: RegisterTable) -> [UInt16]? {
    guard !table.holdsBits else { return nil }
    if encoding == .string { return [UInt16](repeating: 0, count: valueCount) }
    if !flags.isEmpty, notAvailable.isEmpty { return nil }
    let width = field?.count ?? encoding.bitWidth
    if notAvailable.isEmpty {
      guard let code = encoding == .float16 ? 0x7E00 : field == nil ? encoding.sunSpecNotImplemented : nil else {
        return nil
      }
      notAvailable = [code]
    }
    let pattern = notAvailable[0] & (~0 >> UInt64(64 - width))
    let one = registers(of: pattern << UInt64(field?.from ?? 0))
    return (0..<(elements ?? 1)).flatMap { _ in one }
  }
}
