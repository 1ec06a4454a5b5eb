/// SunSpec's common model (SunSpec Device Information Model Specification, model 1): who made the device.
package struct SunSpecCommon: Sendable, Hashable {
  package var manufacturer: String
  package var model: String
  package var version: String
  package var serialNumber: String

  /// Mn 16, Md 16, Opt 8, Vr 8 and SN 16 registers, behind the model's ID and length.
  package static let length: UInt16 = 64

  /// Reads the registers behind ID and length; nil where there are too few.
  package init?(_ registers: [UInt16]) {
    guard registers.count >= Int(Self.length) else { return nil }
    func text(_ range: Range<Int>) -> String {
      registers[range].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }.deviceText
    }
    manufacturer = text(0..<16)
    model = text(16..<32)
    version = text(40..<48)
    serialNumber = text(48..<64)
  }

  package var identity: [String: String] {
    let all = ["vendorName": manufacturer, "modelName": model, "revision": version, "serialNumber": serialNumber]
    return all.filter { !$0.value.isEmpty }
  }
}
