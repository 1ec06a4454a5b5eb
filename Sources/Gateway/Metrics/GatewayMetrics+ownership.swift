internal import Controllers

extension GatewayMetrics {
  func ownershipFamilies(_ text: inout MetricsText, _ ownership: DeviceOwnership.Statistics) {
    text.family(
      "selvedge_lease_held", .gauge, "Whether this gateway's own Lease runs: 1, or 0 where others may take over.",
      [([], ownership.isHeld ? 1 : 0)])
    text.family(
      "selvedge_groups_served", .gauge, "Groups of devices without a node that this gateway serves.",
      [([], Double(ownership.groups))])
    text.family(
      "selvedge_writes_fenced_total", .counter, "Writes not sent, since another gateway might write before their end.",
      [([], Double(ownership.fenced))])
    text.family(
      "selvedge_lease_requests_total", .counter, "Requests about Leases, by how they ended.",
      [
        ([("result", "answered")], Double(ownership.requests - ownership.failures)),
        ([("result", "failed")], Double(ownership.failures)),
      ])
  }
}
