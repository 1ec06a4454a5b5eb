/// A device of the kernel's device tree as rules see it; real ones come from libudev, tests make their own.
package protocol UdevNode {
  /// The last part of the path: `ttyUSB0`.
  var kernel: String { get }
  /// `/devices/…`, without `/sys`.
  var devpath: String { get }
  var subsystem: String { get }
  /// Empty where no driver is bound.
  var driver: String { get }
  /// `/dev/…`; nil where the device has none.
  var devnode: String? { get }
  var tags: [String] { get }
  /// A property of udev's database or of the kernel's uevent.
  func property(_ name: String) -> String?
  /// A file of the device's folder in sysfs, without its trailing whitespace.
  func attribute(_ name: String) -> String?
  var parent: Self? { get }
}

extension UdevNode {
  /// The device itself, then its ancestors up to the root.
  package var lineage: [Self] {
    var line = [self]
    while let next = line.last?.parent { line.append(next) }
    return line
  }

  /// A property, with what udev's `usb_id` would have put there taken from sysfs where udev's database is absent (no
  /// udevd, or a container without `/run/udev`).
  package func environment(_ name: String) -> String? {
    if let known = property(name) { return known }
    guard name.hasPrefix("ID_"), property("ID_BUS") == nil else { return nil }
    let line = lineage
    guard let usb = line.first(where: { $0.attribute("idVendor") != nil && $0.attribute("idProduct") != nil }) else {
      return nil
    }
    let vendor = Self.udevName(usb.attribute("manufacturer")) ?? usb.attribute("idVendor") ?? ""
    let model = Self.udevName(usb.attribute("product")) ?? usb.attribute("idProduct") ?? ""
    let serial = Self.udevName(usb.attribute("serial"))
    return switch name {
    case "ID_BUS": "usb"
    case "ID_VENDOR_ID": usb.attribute("idVendor")
    case "ID_MODEL_ID": usb.attribute("idProduct")
    case "ID_VENDOR": vendor
    case "ID_MODEL": model
    case "ID_REVISION": usb.attribute("bcdDevice")
    case "ID_SERIAL_SHORT": serial
    case "ID_SERIAL": serial.map { "\(vendor)_\(model)_\($0)" } ?? "\(vendor)_\(model)"
    case "ID_USB_INTERFACE_NUM": line.lazy.compactMap { $0.attribute("bInterfaceNumber") }.first
    default: nil
    }
  }

  /// Text as udev puts it into names: runs of whitespace become one underscore, other unusual characters too.
  private static func udevName(_ text: String?) -> String? {
    guard let text, !text.isEmpty else { return nil }
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: "_")
    return String(words.map { $0.isASCII && !($0.isLetter || $0.isNumber || "#+-.:=@_".contains($0)) ? "_" : $0 })
  }
}
