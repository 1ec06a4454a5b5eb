/// A list of hosts in few words: neighbouring IPv4 addresses as ranges, `10.0.0.1-4, 10.0.0.9, plc-1`.
package struct HostRanges: CustomStringConvertible {
  package private(set) var description = ""

  /// At most `limit` entries; the rest is counted.
  package init(_ hosts: [String], limit: Int = 64) {
    var ranges: [ClosedRange<UInt32>] = []
    var entries: [String] = []
    for bits in hosts.compactMap({ IPv4($0)?.bits }).sorted() {
      if let last = ranges.last, last.contains(bits) { continue }
      if let last = ranges.last, bits == last.upperBound + 1, bits >> 8 == last.lowerBound >> 8 {
        ranges[ranges.count - 1] = last.lowerBound...bits
      } else {
        ranges.append(bits...bits)
      }
    }
    for range in ranges {
      let first = IPv4(bits: range.lowerBound).description
      entries.append(range.count == 1 ? first : "\(first)-\(range.upperBound & 255)")
    }
    entries += hosts.filter { IPv4($0) == nil }
    description = entries.prefix(limit).joined(separator: ", ")
    if entries.count > limit { description += " and \(entries.count - limit) more" }
  }
}
