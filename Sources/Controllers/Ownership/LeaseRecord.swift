internal import Documents
internal import Resources

/// What a Lease says.
public struct LeaseRecord: Sendable, Hashable {
  /// A gateway's ``GatewayIdentity``; empty: nobody.
  public var holder: String
  /// From the last renewal until others may take it.
  public var duration: Duration
  /// How often it has changed hands.
  public var transitions: Int64
  /// The gateway that asks for it.
  public var wantedBy: String?
  /// The version that this was read at, or is to replace; 0: there is none.
  public var version: UInt64

  public init(
    holder: String, duration: Duration, transitions: Int64 = 0, wantedBy: String? = nil, version: UInt64 = 0
  ) {
    self.holder = holder
    self.duration = duration
    self.transitions = transitions
    self.wantedBy = wantedBy
    self.version = version
  }

  /// The same in other hands, or in nobody's.
  func passed(to holder: String, for duration: Duration, wantedBy: String? = nil) -> LeaseRecord {
    LeaseRecord(
      holder: holder, duration: duration, transitions: transitions + (holder == self.holder ? 0 : 1),
      wantedBy: wantedBy, version: version)
  }
}

/// One run of one gateway: what holds Leases. A gateway that has lost its Lease goes on under another identity.
public struct GatewayIdentity: Sendable, Hashable, CustomStringConvertible {
  public var gateway: String
  /// Distinct for each run, and for each time that the gateway's Lease was lost.
  public var run: String

  public init(gateway: String, run: String) {
    self.gateway = gateway
    self.run = run
  }

  /// `gw-1_4f9ac03b.1`
  public var description: String { "\(gateway)_\(run)" }

  /// The gateway of an identity's text.
  static func gateway(of text: String) -> String {
    text.lastIndex(of: "_").map { String(text[..<$0]) } ?? text
  }

  /// The next one of the same run: `4f9ac03b.2` after `4f9ac03b.1`.
  func next() -> GatewayIdentity {
    let parts = run.split(separator: ".", maxSplits: 1)
    let count = parts.count > 1 ? UInt64(parts[1]) ?? 0 : 0
    return GatewayIdentity(gateway: gateway, run: "\(parts.first ?? "").\(count + 1)")
  }
}

/// Which Lease: a gateway's own, which it renews, or a group's, which is written when it changes hands.
public enum LeaseKey: Sendable, Hashable, Comparable, CustomStringConvertible {
  case gateway(String)
  case group(String)

  static let groupPrefix = "selvedge-group-"
  static let gatewayPrefix = "selvedge-gateway-"
  /// Tells Leases of groups from others.
  static let label = "selvedge.dev/lease"
  static let wantedByAnnotation = "selvedge.dev/wanted-by"

  /// The Lease's name.
  public var description: String {
    switch self {
    case .gateway(let name):
      // Names of objects end at 253 characters, as those of nodes do.
      name.utf8.count <= 200
        ? Self.gatewayPrefix + name : "\(Self.gatewayPrefix)\(name.prefix(180))-\(DeviceNaming.hash(of: name))"
    case .group(let name): Self.groupPrefix + name
    }
  }
}

extension LeaseRecord {
  /// Reads a Lease (coordination.k8s.io/v1). A duration that is missing is `fallback`.
  init(_ lease: JSONValue, fallback: Duration) {
    let spec = lease["spec"]
    self.init(
      holder: spec?["holderIdentity"]?.string ?? "",
      duration: spec?["leaseDurationSeconds"]?.integer.map { .seconds($0) } ?? fallback,
      transitions: spec?["leaseTransitions"]?.integer ?? 0,
      wantedBy: lease.metadata.annotations[LeaseKey.wantedByAnnotation],
      version: UInt64(lease.metadata.resourceVersion) ?? 0)
  }

  /// The Lease to be written; the times are for people.
  func lease(_ key: LeaseKey, namespace: String, now: Timestamp) -> JSONValue {
    var lease: JSONValue = [
      "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
      "spec": [
        "holderIdentity": .string(holder), "leaseDurationSeconds": .integer(max(1, duration.components.seconds)),
        "renewTime": .string(now.microsecondsText), "leaseTransitions": .integer(transitions),
      ],
    ]
    lease.metadata.name = key.description
    lease.metadata.namespace = namespace
    if case .group = key {
      lease.metadata.labels = [LeaseKey.label: "group"]
    } else {
      lease.metadata.labels = [LeaseKey.label: "gateway"]
    }
    if let wantedBy { lease.metadata.annotations = [LeaseKey.wantedByAnnotation: wantedBy] }
    if version > 0 { lease.metadata.resourceVersion = "\(version)" }
    return lease
  }
}
