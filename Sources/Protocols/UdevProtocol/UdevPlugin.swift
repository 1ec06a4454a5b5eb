public import DeviceKit
public import Documents
public import Logging

/// Devices of the gateway itself, as udev and sysfs know them: serial adapters, cameras, disks.
public final class UdevPlugin: ProtocolPlugin {
  public let name = "udev"
  private let clock: WallClock
  private let logger: Logger
  private let watcher = UdevWatcher()

  public init(clock: WallClock, logger: Logger) {
    self.clock = clock
    self.logger = logger
  }

  public func endpoint(of connection: JSONValue) -> String? { nil }

  public func session(
    for request: SessionRequest, feed: any DeviceFeed
  ) throws(DeviceError) -> any DeviceSession {
    let place: UdevSession.Place
    if let path = request.connection["devpath"]?.string, path.hasPrefix("/devices/") {
      place = .devpath(path)
    } else if let path = request.connection["devnode"]?.string, path.hasPrefix("/dev/") {
      place = .devnode(path)
    } else {
      throw DeviceError(
        reason: "InvalidConnection",
        message: "connection.udev: give devpath (/devices/…) or devnode (/dev/…)", isPermanent: true)
    }
    var sources: [UdevSession.Source] = []
    for property in request.properties {
      switch (property.binding["env"]?.string, property.binding["attribute"]?.string) {
      case (let name?, nil) where !name.isEmpty: sources.append(.environment(name))
      case (nil, let name?) where !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/").contains(".."):
        sources.append(.attribute(name))
      default:
        throw DeviceError(
          reason: "InvalidBinding",
          message: "property '\(property.name)': udev: give either env or attribute (a file below the device's folder)",
          isPermanent: true)
      }
    }
    return UdevSession(request, place: place, sources: sources, feed: feed, watcher: watcher, clock: clock)
  }

  public func discoverer(for request: DiscoveryRequest) throws(DeviceError) -> (any Discoverer)? {
    let texts = (request.specification["rules"]?.array ?? []).map { $0.string ?? "" }
    guard !texts.isEmpty else {
      throw DeviceError(
        reason: "InvalidSpec", message: "spec.udev.rules: give at least one rule; without one every device would match",
        isPermanent: true)
    }
    var rules: [UdevRule] = []
    for (index, text) in texts.enumerated() {
      do throws(UdevRuleError) {
        rules.append(try UdevRule(text, at: index))
      } catch {
        throw DeviceError(reason: "InvalidRule", message: "spec.udev.\(error.description)", isPermanent: true)
      }
    }
    let isGrouped = request.specification["groupRecursive"]?.bool ?? false
    return UdevDiscoverer(finds: UdevFinds(rules: rules, isGrouped: isGrouped), watcher: watcher)
  }

  public var schema: ProtocolSchema {
    ProtocolSchema(
      connection: """
        type: object
        description: A device of the gateway itself; devpath counts where both are given.
        x-kubernetes-validations:
        - rule: "has(self.devpath) || has(self.devnode)"
          message: give devpath or devnode
        properties:
          devpath: {type: string, maxLength: 4096, pattern: "^/devices/", description: "Its path in sysfs, without /sys."}
          devnode: {type: string, maxLength: 4096, pattern: "^/dev/", description: Its device file.}
          subsystem: {type: string, maxLength: 253}
          otherDevnodes:
            type: array
            description: Device files of those grouped under it.
            maxItems: 256
            x-kubernetes-list-type: set
            items: {type: string, maxLength: 4096}
        """,
      property: """
        type: object
        description: Where the value is; exactly one of env and attribute.
        x-kubernetes-validations:
        - rule: "has(self.env) != has(self.attribute)"
          message: give either env or attribute
        - rule: "!has(self.attribute) || (!self.attribute.startsWith('/') && !self.attribute.matches('(^|/)[.][.](/|$)'))"
          message: must stay below the folder of the device
          fieldPath: .attribute
        properties:
          env: {type: string, minLength: 1, maxLength: 253, description: "A property of udev, such as ID_SERIAL."}
          attribute:
            type: string
            description: "A file in sysfs, such as idVendor, of the device or its nearest ancestor that has it."
            minLength: 1
            maxLength: 253
        """,
      discovery: """
        type: object
        required: [rules]
        properties:
          rules:
            type: array
            description: 'Rules in the grammar of udev(7) with == and !=, such as SUBSYSTEM=="tty", ENV{ID_BUS}=="usb"; a device that satisfies one is found.'
            minItems: 1
            maxItems: 64
            x-kubernetes-list-type: atomic
            items: {type: string, minLength: 1, maxLength: 2048}
          groupRecursive:
            type: boolean
            description: Makes one device of all that are below one another in the device tree.
            default: false
        """)
  }
}
