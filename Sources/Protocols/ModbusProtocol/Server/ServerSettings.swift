package import DeviceKit
package import Documents

/// What the manifest says of a server besides its map. Pure.
package struct ServerSettings: Sendable, Hashable {
  package var address: String
  package var port: Int
  /// Empty: any client, which then comes over loopback.
  package var allowed: [AddressBlock] = []
  /// Nil: every unit ID is answered.
  package var unitID: UInt8?
  package var maximumClients: Int
  package var idleTimeout: Duration
  /// A request that has begun ends in this time, or its client is let go.
  package var frameTimeout = Duration.seconds(10)

  /// Reads the fields of `Gateway.spec.servers[].modbus`, which stand at `path`. Throws a permanent ``DeviceError``
  /// `InvalidServer` that names the field. Port 0 is any free one, which no manifest can say.
  package init(_ specification: JSONValue, path: String) throws(DeviceError) {
    address = specification["address"]?.string ?? "127.0.0.1"
    guard let own = AddressBlock(address), !address.contains("/") else {
      throw ServerFields.error(path, "address", "'\(address)' is no IP address")
    }
    guard let port = specification["port"]?.int, (0...65_535).contains(port) else {
      throw ServerFields.error(path, "port", "must be a whole number from 1 to 65535")
    }
    self.port = port
    for (index, entry) in (specification["allowFrom"]?.array ?? []).enumerated() {
      let text = entry.string ?? ""
      guard let block = AddressBlock(text) else {
        throw ServerFields.error(
          path, "allowFrom[\(index)]", "'\(text)' is neither an IP address nor a block such as 10.2.0.0/24")
      }
      guard block.prefix > 0 else {
        throw ServerFields.error(
          path, "allowFrom[\(index)]",
          "'\(text)' lets everybody in, and Modbus asks nobody who they are: list the clients")
      }
      allowed.append(block)
    }
    guard own.isLoopback || !allowed.isEmpty else {
      throw ServerFields.error(
        path, "allowFrom",
        "is needed where address is not loopback, as \(address) is not: list the addresses of the clients")
    }
    if let unit = specification["unitID"] {
      guard let number = unit.int, (1...247).contains(number) else {
        throw ServerFields.error(path, "unitID", "must be a whole number from 1 to 247")
      }
      unitID = UInt8(number)
    }
    maximumClients = specification["maxClients"]?.int ?? 8
    guard (1...64).contains(maximumClients) else {
      throw ServerFields.error(path, "maxClients", "must be a whole number from 1 to 64")
    }
    idleTimeout = .seconds(60)
    if let text = specification["idleTimeout"] {
      guard let time = text.string.flatMap({ Duration(manifest: $0) }), time > .zero else {
        throw ServerFields.error(path, "idleTimeout", "must be a duration above zero, such as 60s")
      }
      idleTimeout = time
    }
  }

  /// Whether a client of this address may connect.
  package func allows(_ address: [UInt8]) -> Bool {
    allowed.isEmpty || allowed.contains { $0.contains(address) }
  }

  /// Whether a request to this unit ID is for the server: 0 and 255 mean whoever is at the address (Modbus Messaging on
  /// TCP/IP V1.0b, section 4.4.2).
  package func answers(_ unit: UInt8) -> Bool { unitID == nil || unit == unitID || unit == 0 || unit == 255 }
}
