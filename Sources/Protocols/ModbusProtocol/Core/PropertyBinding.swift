public import DeviceKit
import Documents

/// Where and how a property lies in a device: the model's `modbus:` fragment, checked.
public struct PropertyBinding: Sendable, Hashable {
  public var property: PropertyDefinition
  public var table: RegisterTable
  /// The value's first address, zero-based.
  public var address: UInt16
  public var codec: RegisterCodec
  /// How long a coil that is set stays set; nil: until it is written again.
  public var pulse: Duration?

  /// The first address that is read for the value: its own, or that of its scale factor where that is lower.
  public var readAddress: Int { Int(address) - (codec.scaleFactor?.valueOffset ?? 0) }

  /// How many addresses of its table are read for the value.
  public var length: Int { codec.readCount }

  /// Reads `property.binding`. Throws a permanent ``DeviceError`` `InvalidBinding` that names the field, and the property
  /// or, where it is given, the `place` in which the fields stand.
  public init(_ property: PropertyDefinition, place: String? = nil) throws(DeviceError) {
    let fields = BindingFields(property: property, place: place)
    (table, address) = try fields.location()
    var codec = try table.holdsBits ? fields.bitCodec(table: table) : fields.registerCodec()
    codec.scaleFactor = try fields.scaleFactor(table: table, address: address)
    pulse = try fields.pulse(table: table)
    self.codec = codec
    self.property = property
    guard Int(address) + codec.valueCount <= 65_536 else {
      throw fields.error("address", "\(address) + \(codec.valueCount) \(table.unitName) lead past 65535")
    }
    guard length <= table.maximumReadCount else {
      throw fields.error(
        codec.scaleFactor == nil ? "count" : "scaleFrom",
        "makes \(length) \(table.unitName) to be read at once; \(table.maximumReadCount) are possible")
    }
    let most = table.holdsBits ? ModbusRequest.maximumCoilsPerWrite : ModbusRequest.maximumRegistersPerWrite
    guard !property.access.canWrite || codec.valueCount <= most else {
      throw fields.error(
        "count", "makes \(codec.valueCount) \(table.unitName) to be written at once; \(most) are possible")
    }
  }
}

extension RegisterTable {
  fileprivate var unitName: String { holdsBits ? "bits" : "registers" }
}
