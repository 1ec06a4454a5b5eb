package import DeviceKit
package import Documents

/// The hosts and ports that a scan is allowed to contact: the listed ones, without the excluded.
package struct ScanTargets: Sendable, Hashable {
  package struct Target: Sendable, Hashable {
    package var endpoint: TCPEndpoint
    /// Whether the manifest names this very host, so that its silence is worth a warning; else it is one of a block.
    package var isNamed: Bool
  }
  /// In the order of the list, none twice.
  package private(set) var targets: [Target] = []

  private var excludedHosts: Set<String> = []
  private var excludedEndpoints: Set<TCPEndpoint> = []
  private var excludedBlocks: [ClosedRange<UInt32>] = []

  /// Whether the manifest says that this address is never contacted at this port.
  func excludes(_ address: String, port: Int) -> Bool {
    if let bits = IPv4(address)?.bits, excludedBlocks.contains(where: { $0.contains(bits) }) { return true }
    return excludedHosts.contains(address) || excludedEndpoints.contains(TCPEndpoint(host: address, port: port))
  }

  /// The largest block that is scanned: 4,096 addresses.
  package static let widestPrefix = 20

  /// Throws a permanent ``DeviceError`` `InvalidTarget` that quotes the entry.
  package init(targets texts: [String], exclude: [String], ports: [Int]) throws(DeviceError) {
    for text in exclude {
      switch try ScanTarget(text, isExclusion: true) {
      case .host(let host, let port?): excludedEndpoints.insert(TCPEndpoint(host: host, port: port))
      case .host(let host, nil): excludedHosts.insert(host)
      case .block(let block, _): excludedBlocks.append(block)
      }
    }
    var seen: Set<TCPEndpoint> = []
    func add(_ host: String, _ ports: [Int], isNamed: Bool) {
      for port in ports {
        let endpoint = TCPEndpoint(host: host, port: port)
        guard !excludes(host, port: port), seen.insert(endpoint).inserted else { continue }
        targets.append(Target(endpoint: endpoint, isNamed: isNamed))
      }
    }
    for text in texts {
      switch try ScanTarget(text) {
      case .host(let host, let port): add(host, port.map { [$0] } ?? ports, isNamed: true)
      case .block(let block, let port):
        for bits in block { add(IPv4(bits: bits).description, port.map { [$0] } ?? ports, isNamed: false) }
      }
    }
  }
}

/// One entry of a target list.
enum ScanTarget {
  case host(String, port: Int?)
  case block(ClosedRange<UInt32>, port: Int?)

  /// An exclusion may be of any size, and takes in a block's network and broadcast address.
  init(_ text: String, isExclusion: Bool = false) throws(DeviceError) {
    func invalid(_ message: String) -> DeviceError {
      DeviceError(reason: "InvalidTarget", message: "target '\(text)': \(message)", isPermanent: true)
    }
    var host = Substring(text)
    var port: Int?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw invalid("']' is missing") }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty {
        guard rest.first == ":", let number = Int(rest.dropFirst()) else {
          throw invalid("a port is expected behind ']'")
        }
        port = number
      }
    } else if text.filter({ $0 == ":" }).count == 1, let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      guard let number = Int(text[text.index(after: colon)...]) else { throw invalid("the port is not a number") }
      port = number
    }
    guard port.map({ (1...65_535).contains($0) }) ?? true else { throw invalid("a port lies between 1 and 65535") }
    if let slash = host.firstIndex(of: "/") {
      guard let address = IPv4(host[..<slash]), let prefix = Int(host[host.index(after: slash)...]),
        (0...32).contains(prefix)
      else { throw invalid("a block is written 10.20.0.0/24; blocks of IPv6 are too large to scan") }
      guard isExclusion || prefix >= ScanTargets.widestPrefix else {
        throw invalid("larger than /\(ScanTargets.widestPrefix): list the smaller blocks where the devices are")
      }
      let size = UInt32(truncatingIfNeeded: UInt64(1) << UInt64(32 - prefix)) &- 1
      let first = address.bits & ~size
      // Network and broadcast address of a block belong to no host.
      self = .block(isExclusion || prefix >= 31 ? first...first | size : first + 1...(first | size) - 1, port: port)
      return
    }
    if let dash = host.lastIndex(of: "-"), let first = IPv4(host[..<dash]),
      let last = UInt32(host[host.index(after: dash)...])
    {
      guard last <= 255, last >= first.bits & 255 else {
        throw invalid("a range is written 10.20.0.5-20, ending at 255 at most")
      }
      self = .block(first.bits...(first.bits & ~255 | last), port: port)
      return
    }
    guard !host.isEmpty, !host.contains(where: { $0 == " " || $0 == "," || $0 == "/" }) else {
      throw invalid("neither a host, host:port, CIDR block nor range a.b.c.d-e")
    }
    self = .host(NameLookup.literal(String(host)) ?? host.lowercased(), port: port)
  }
}

/// An IPv4 address.
struct IPv4: CustomStringConvertible {
  var bits: UInt32
  init(bits: UInt32) { self.bits = bits }
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    bits = 0
    for part in parts {
      guard part.count <= 3, part.allSatisfy(\.isASCII), let byte = UInt8(part) else { return nil }
      bits = bits << 8 | UInt32(byte)
    }
  }
  var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }
}

/// Unit IDs as manifests list them: numbers and ranges, `[1, "4-7"]`; sorted, none twice.
package func unitIDs(_ values: [JSONValue]) throws(DeviceError) -> [UInt8] {
  var units: Set<UInt8> = []
  for value in values {
    let text = value.string ?? value.int.map(String.init) ?? ""
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt8($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last else {
      throw DeviceError(
        reason: "InvalidUnitID",
        message: "unitIDs: '\(text)' is neither a number from 0 to 255 nor a range such as 1-4",
        isPermanent: true)
    }
    units.formUnion(first...last)
  }
  return units.sorted()
}
