/// The words of one served table, in runs of addresses without a gap: bits are words of 0 and 1. Pure.
struct ServedTable: Sendable {
  private struct Run {
    var start: Int
    var words: [UInt16]
    /// For each address the first and the last of ``entries`` that takes it.
    var first: [Int32]
    var last: [Int32]
    var end: Int { start + words.count }
  }
  private var runs: [Run] = []
  /// Indexes into the map's entries, by address.
  private var entries: [Int] = []

  init(_ map: ServedMap, _ table: RegisterTable) {
    entries = map.entries.indices.filter { map.entries[$0].table == table }
      .sorted { (map.entries[$0].address, $0) < (map.entries[$1].address, $1) }
    for (position, index) in entries.enumerated() {
      let entry = map.entries[index]
      if runs.last.map({ entry.address > $0.end }) ?? true {
        runs.append(Run(start: entry.address, words: [], first: [], last: []))
      }
      let run = runs.count - 1
      while runs[run].end < entry.end {
        runs[run].words.append(0)
        runs[run].first.append(-1)
        runs[run].last.append(-1)
      }
      for offset in entry.address - runs[run].start..<entry.end - runs[run].start {
        if runs[run].first[offset] < 0 { runs[run].first[offset] = Int32(position) }
        runs[run].last[offset] = Int32(position)
      }
    }
  }

  /// Whether nothing lies at one of these addresses.
  func hasGap(_ range: Range<Int>) -> Bool {
    !runs.contains { $0.start <= range.lowerBound && range.upperBound <= $0.end }
  }

  /// The map's entries that take one of these addresses, by address.
  func entries(in range: Range<Int>, of map: ServedMap) -> [Int] {
    var found: [Int] = []
    for run in overlapping(range) {
      let low = max(range.lowerBound, runs[run].start) - runs[run].start
      let high = min(range.upperBound, runs[run].end) - runs[run].start
      // A long entry may begin before a short one that lies between its bits, and end behind it.
      for position in runs[run].first[low]...(runs[run].last[low..<high].max() ?? runs[run].first[low]) {
        let entry = map.entries[entries[Int(position)]]
        if entry.address < range.upperBound, entry.end > range.lowerBound { found.append(entries[Int(position)]) }
      }
    }
    return found
  }

  /// The words at these addresses, 0 where nothing lies.
  func words(in range: Range<Int>) -> [UInt16] {
    var words = [UInt16](repeating: 0, count: range.count)
    for run in overlapping(range) {
      for address in max(range.lowerBound, runs[run].start)..<min(range.upperBound, runs[run].end) {
        words[address - range.lowerBound] = runs[run].words[address - runs[run].start]
      }
    }
    return words
  }

  /// Puts an entry's bits in their place.
  mutating func set(_ entry: ServedEntry, _ words: [UInt16]) {
    guard let run = overlapping(entry.address..<entry.end).first else { return }
    for offset in 0..<entry.count {
      let place = entry.address + offset - runs[run].start
      runs[run].words[place] = runs[run].words[place] & ~entry.masks[offset] | words[offset] & entry.masks[offset]
    }
  }

  private func overlapping(_ range: Range<Int>) -> Range<Int> {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].end <= range.lowerBound { low = middle + 1 } else { high = middle }
    }
    var end = low
    while end < runs.count, runs[end].start < range.upperBound { end += 1 }
    return low..<end
  }
}

/// A server's tables, each where there is one.
struct ServedTables: Sendable {
  private var coil: ServedTable?
  private var discrete: ServedTable?
  private var input: ServedTable?
  private var holding: ServedTable?

  subscript(table: RegisterTable) -> ServedTable? {
    _read {
      switch table {
      case .coil: yield coil
      case .discrete: yield discrete
      case .input: yield input
      case .holding: yield holding
      }
    }
    _modify {
      switch table {
      case .coil: yield &coil
      case .discrete: yield &discrete
      case .input: yield &input
      case .holding: yield &holding
      }
    }
  }
}
