package import DeviceKit
internal import Documents

/// Makes discovered devices of the nodes that rules select: pure.
package struct UdevFinds: Sendable {
  package let rules: [UdevRule]
  package let isGrouped: Bool

  package init(rules: [UdevRule], isGrouped: Bool) {
    self.rules = rules
    self.isGrouped = isGrouped
  }

  /// The full set out of all nodes, ordered by path.
  package func devices(among nodes: [some UdevNode]) -> [DiscoveredDevice] {
    let matching = nodes.filter { node in rules.contains { $0.matches(node) } }.sorted { $0.devpath < $1.devpath }
    var groups: [[Int]] = []
    for (index, node) in matching.enumerated() {
      // In the order of paths an ancestor comes before its descendants.
      if isGrouped,
        let group = groups.firstIndex(where: { node.devpath.hasPrefix(matching[$0[0]].devpath + "/") })
      {
        groups[group].append(index)
      } else {
        groups.append([index])
      }
    }
    var devices = groups.map { group in
      UdevFinds.device(matching[group[0]], devnodes: group.compactMap { matching[$0].devnode })
    }
    // Nodes of one interface (a camera's picture and its metadata) share all that identifies them but their order.
    var seen: [String: Int] = [:]
    for index in devices.indices {
      let id = devices[index].stableID
      seen[id, default: 0] += 1
      if let count = seen[id], count > 1 { devices[index].stableID += "#\(count)" }
    }
    return devices
  }

  private static func device(_ node: some UdevNode, devnodes: [String]) -> DiscoveredDevice {
    let devnode = node.devnode ?? devnodes.first ?? node.lineage.lazy.compactMap(\.devnode).first
    var connection: [String: JSONValue] = ["devpath": .string(node.devpath)]
    if let devnode { connection["devnode"] = .string(devnode) }
    if !node.subsystem.isEmpty { connection["subsystem"] = .string(node.subsystem) }
    let others = Set(devnodes).subtracting([devnode ?? ""]).sorted()
    if !others.isEmpty { connection["otherDevnodes"] = .array(others.map { .string($0) }) }

    let serial = node.environment("ID_SERIAL")
    let path = node.environment("ID_PATH")
    let interface = node.environment("ID_USB_INTERFACE_NUM").map { ":\($0)" } ?? ""
    let stableID: String
    if let serial {
      stableID = "\(node.subsystem):\(serial)\(interface)"
    } else if let path {
      stableID = "\(node.subsystem):\(path)"
    } else {
      stableID = node.devpath
    }
    return DiscoveredDevice(
      identity: identity(of: node), stableID: stableID, nameHint: node.environment("ID_MODEL") ?? node.kernel,
      connection: .object(connection))
  }

  /// `vendorName`, `productCode`, `serialNumber` …, as far as they are known.
  static func identity(of node: some UdevNode) -> [String: String] {
    var identity: [String: String] = [:]
    let names = [
      ("vendorName", "ID_VENDOR"), ("productCode", "ID_MODEL"), ("serialNumber", "ID_SERIAL_SHORT"),
      ("vendorID", "ID_VENDOR_ID"), ("productID", "ID_MODEL_ID"), ("serial", "ID_SERIAL"), ("path", "ID_PATH"),
      ("bus", "ID_BUS"),
    ]
    for (name, property) in names {
      if let value = node.environment(property), !value.isEmpty { identity[name] = value }
    }
    if identity["serialNumber"] == nil, let serial = node.lineage.lazy.compactMap({ $0.attribute("serial") }).first {
      identity["serialNumber"] = serial
    }
    identity["subsystem"] = node.subsystem.isEmpty ? nil : node.subsystem
    return identity
  }
}
