import DeviceKit
import Documents
import Testing
import UdevProtocol

/// A device tree of a test's own.
final class FakeNode: UdevNode {
  let kernel: String
  let devpath: String
  let subsystem: String
  let driver: String
  let devnode: String?
  let tags: [String]
  let properties: [String: String]
  let attributes: [String: String]
  let parent: FakeNode?
  init(
    _ kernel: String, below parent: FakeNode? = nil, subsystem: String = "", driver: String = "",
    devnode: String? = nil, tags: [String] = [], properties: [String: String] = [:], attributes: [String: String] = [:]
  ) {
    self.kernel = kernel
    devpath = (parent?.devpath ?? "/devices") + "/" + kernel
    self.subsystem = subsystem
    self.driver = driver
    self.devnode = devnode
    self.tags = tags
    self.properties = properties
    self.attributes = attributes
    self.parent = parent
  }
  func property(_ name: String) -> String? { properties[name] }
  func attribute(_ name: String) -> String? { attributes[name] }

  /// An FTDI adapter behind a hub of another maker.
  static func adapter() -> [FakeNode] {
    let hub = FakeNode("1-1", subsystem: "usb", driver: "usb", attributes: ["hubby": "1", "serial": "HUB"])
    let usb = FakeNode(
      "1-1.2", below: hub, subsystem: "usb", driver: "usb",
      attributes: [
        "idVendor": "0403", "idProduct": "6001", "manufacturer": "FTDI", "product": "USB-RS485 Cable", "serial": "FT1",
      ])
    let interface = FakeNode(
      "1-1.2:1.0", below: usb, subsystem: "usb", driver: "ftdi_sio", attributes: ["bInterfaceNumber": "00"])
    let tty = FakeNode(
      "ttyUSB0", below: interface, subsystem: "tty", devnode: "/dev/ttyUSB0", tags: ["systemd"],
      properties: ["ID_BUS": "usb", "ID_VENDOR_ID": "0403", "ID_SERIAL": "FTDI_USB-RS485_Cable_FT1", "ID_PATH": "p"],
      attributes: ["dev": "188:0"])
    return [hub, usb, interface, tty]
  }
}

@Suite struct UdevRuleTests {
  @Test(arguments: [
    (#"SUBSYSTEM=="tty", ENV{ID_BUS}=="usb", ENV{ID_VENDOR_ID}=="0403", ENV{ID_SERIAL}=="*RS485*""#, ["ttyUSB0"]),
    (#"KERNEL=="ttyUSB[0-9]""#, ["ttyUSB0"]), (#"KERNEL=="ttyUSB[!0-9]""#, []),
    (#"KERNEL=="ttyS*|ttyUSB?""#, ["ttyUSB0"]),
    (#"SUBSYSTEM=="usb", DRIVER!="usb""#, ["1-1.2:1.0"]), (#"SUBSYSTEM!="usb""#, ["ttyUSB0"]),
    (#"DEVPATH=="*/1-1.2/*""#, ["1-1.2:1.0", "ttyUSB0"]), (#"TAG=="systemd""#, ["ttyUSB0"]),
    (#"TAG!="systemd", KERNEL=="1-1""#, ["1-1"]), (#"SUBSYSTEM=="tty", DRIVERS=="ftdi_sio""#, ["ttyUSB0"]),
    (#"SUBSYSTEM=="tty", ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001""#, ["ttyUSB0"]),
    // The hub has one, the adapter the other: not the same ancestor.
    (#"SUBSYSTEM=="tty", ATTRS{hubby}=="1", ATTRS{idVendor}=="0403""#, []),
    (#"SUBSYSTEM=="tty", ATTRS{hubby}=="1", KERNELS=="1-1""#, ["ttyUSB0"]),
    // What has no such attribute satisfies neither operator.
    (#"ATTR{idVendor}!="9999""#, ["1-1.2"]), (#"SUBSYSTEM=="tty", ENV{ABSENT}!="x""#, ["ttyUSB0"]),
    (#"SUBSYSTEM=="tty", ENV{ABSENT}=="?*""#, []), (#"TAGS=="systemd""#, ["ttyUSB0"]),
  ]) func aRuleSelects(rule: String, kernels: [String]) throws {
    let rule = try UdevRule(rule)
    #expect(FakeNode.adapter().filter { rule.matches($0) }.map(\.kernel) == kernels)
  }

  @Test(arguments: [
    ("", 1, "every device"), ("   ", 4, "every device"), (#"SUBSYSTEM="tty""#, 10, "'=' is no comparison"),
    (#"subsystem=="tty""#, 1, "capitals"), (#"RUN=="x""#, 1, "'RUN' is not a field"),
    (#"KERNEL=="a" SUBSYSTEM=="b""#, 13, "expected ','"),
    (#"KERNEL=="a","#, 13, "another comparison"), (#"KERNEL=="a"#, 9, "closing quote"),
    (#"ATTR=="a""#, 1, "ATTR{name}"),
    (#"KERNEL{x}=="a""#, 1, "takes no"), (#"ENV{x=="a""#, 4, "without '}'"), (#"KERNEL=="[a""#, 9, "without ']'"),
    (#"KERNEL+="a""#, 7, "'+=' is no comparison"), (#"ATTR{../x}=="a""#, 1, "within"),
    (#"KERNEL==tty"#, 9, "double quotes"),
  ]) func aBadRuleIsRefusedWithItsPlace(text: String, column: Int, message: String) {
    do throws(UdevRuleError) {
      _ = try UdevRule(text, at: 2)
      Issue.record("accepted \(text)")
    } catch {
      #expect(error.rule == 2 && error.column == column, "\(error)")
      #expect(error.message.contains(message), "\(error)")
    }
  }

  @Test func aFoundAdapterCarriesItsIdentity() throws {
    let finds = UdevFinds(rules: [try UdevRule(#"SUBSYSTEM=="tty""#)], isGrouped: false)
    let device = try #require(finds.devices(among: FakeNode.adapter()).first)
    #expect(device.connection["devnode"] == "/dev/ttyUSB0")
    #expect(device.connection["devpath"] == "/devices/1-1/1-1.2/1-1.2:1.0/ttyUSB0")
    #expect(device.stableID == "tty:FTDI_USB-RS485_Cable_FT1")
    #expect(device.identity["vendorID"] == "0403")
    #expect(device.identity["serialNumber"] == "FT1")
  }

  @Test func withoutUdevsDatabaseItsNamesComeFromSysfs() throws {
    let nodes = FakeNode.adapter()
    let bare = FakeNode("ttyUSB0", below: nodes[2], subsystem: "tty", devnode: "/dev/ttyUSB0")
    let rule = try UdevRule(
      #"SUBSYSTEM=="tty", ENV{ID_BUS}=="usb", ENV{ID_VENDOR_ID}=="0403", ENV{ID_SERIAL}=="*RS485*""#)
    let device = try #require(UdevFinds(rules: [rule], isGrouped: false).devices(among: [bare]).first)
    #expect(device.stableID == "tty:FTDI_USB-RS485_Cable_FT1:00")
    #expect(device.identity["productCode"] == "USB-RS485_Cable")
  }

  @Test func groupingMakesOneDeviceOfWhatIsBelowOneAnother() throws {
    let nodes = FakeNode.adapter()
    let neighbour = FakeNode("1-1.22", below: nodes[0], subsystem: "usb", attributes: ["idVendor": "0403"])
    let rules = [try UdevRule(#"ATTRS{idVendor}=="0403""#)]
    let single = UdevFinds(rules: rules, isGrouped: false).devices(among: nodes + [neighbour])
    #expect(single.count == 4)
    let grouped = UdevFinds(rules: rules, isGrouped: true).devices(among: nodes + [neighbour])
    #expect(grouped.map { $0.connection["devpath"]?.string } == ["/devices/1-1/1-1.2", "/devices/1-1/1-1.22"])
    #expect(grouped[0].connection["devnode"] == "/dev/ttyUSB0")
  }

  @Test func nodesOfTheSameIdentityStayApart() throws {
    let nodes = (0..<2).map {
      FakeNode("video\($0)", subsystem: "video4linux", devnode: "/dev/video\($0)", properties: ["ID_SERIAL": "cam"])
    }
    let devices = UdevFinds(rules: [try UdevRule(#"KERNEL=="video*""#)], isGrouped: false).devices(among: nodes)
    #expect(devices.map(\.stableID) == ["video4linux:cam", "video4linux:cam#2"])
  }
}
