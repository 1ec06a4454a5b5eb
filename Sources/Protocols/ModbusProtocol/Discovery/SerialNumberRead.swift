package import DeviceKit

/// The read by which a unit that fits a DeviceModel tells its serial number: that of the model's own property.
package struct SerialNumberRead: Sendable, Hashable {
  package let model: IdentifyingModel
  private let binding: PropertyBinding

  /// Nil for a property that cannot be read as a text or a whole number of registers.
  package init?(_ model: IdentifyingModel) {
    guard let binding = try? PropertyBinding(model.serialNumber), !binding.table.holdsBits,
      model.serialNumber.type == .string || model.serialNumber.type == .integer
    else { return nil }
    self.model = model
    self.binding = binding
  }

  package var request: ModbusRequest {
    .read(binding.table, address: UInt16(binding.readAddress), count: UInt16(binding.length))
  }

  /// The serial number as text; nil where the registers hold none: blank or erased ones say the same on every device.
  package func text(in registers: [UInt16]) -> String? {
    guard registers.count == binding.length, registers.contains(where: { $0 != 0 }),
      registers.contains(where: { $0 != 0xFFFF }), case .value(let value) = binding.codec.decode(registers[...])
    else { return nil }
    let text =
      switch value {
      case .string(let text): Array(text.utf8).deviceText
      default: value.shown
      }
    return text.contains { $0 != "0" && $0 != " " } ? String(text.prefix(128)) : nil
  }
}
