/// A table of comma-separated values (RFC 4180), with any of `,`, `;`, tab and `|` between the cells.
package struct CSVTable: Sendable, Hashable {
  package struct Row: Sendable, Hashable {
    /// The text's line on which the row begins, counted from 1.
    package var line: Int
    package var cells: [String]
  }
  package var rows: [Row]
  /// Line on which a quote was opened that nothing closes; nil where there is none.
  package var openQuote: Int?

  /// Reads a text. The separator is the one that makes the most rows of the same, largest number of cells. Cells lose the
  /// spaces around them; rows without any text are left out. UTF-8, with or without a byte order mark, else Latin-1.
  package init(_ bytes: [UInt8]) {
    var bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if String(validating: bytes, as: UTF8.self) == nil {
      bytes = Array(String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) })).utf8)
    }
    var best: (score: Int, table: (rows: [Row], openQuote: Int?)) = (-1, ([], nil))
    for separator in ";,\t|".utf8 {
      let table = Self.parse(bytes, separator)
      var counts: [Int: Int] = [:]
      for row in table.rows where row.cells.count > 1 { counts[row.cells.count, default: 0] += 1 }
      // Many rows of one width outweigh a few very wide ones: a comma in every remark must not win.
      let score = counts.map { $0.value * min($0.key, 8) }.max() ?? 0
      if score > best.score { best = (score, table) }
    }
    (rows, openQuote) = best.table
  }

  private static func parse(_ bytes: [UInt8], _ separator: UInt8) -> (rows: [Row], openQuote: Int?) {
    var rows: [Row] = []
    var cells: [String] = []
    var cell: [UInt8] = []
    var line = 1
    var start = 1
    var quotedSince: Int?
    var wasQuoted = false
    func endCell() {
      cells.append(trimmed(cell))
      cell = []
      wasQuoted = false
    }
    func endRow() {
      endCell()
      if cells.contains(where: { !$0.isEmpty }) { rows.append(Row(line: start, cells: cells)) }
      cells = []
      start = line
    }
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == 0x0A { line += 1 }
      if quotedSince != nil {
        if byte != 0x22 {
          cell.append(byte)
        } else if index < bytes.count, bytes[index] == 0x22 {
          cell.append(0x22)
          index += 1
        } else {
          quotedSince = nil
        }
      } else if byte == 0x22, !wasQuoted, cell.allSatisfy({ $0 == 0x20 }) {
        cell = []
        quotedSince = line
        wasQuoted = true
      } else if byte == separator {
        endCell()
      } else if byte == 0x0A {
        endRow()
      } else if byte != 0x0D {
        cell.append(byte)
      } else if index >= bytes.count || bytes[index] != 0x0A {
        line += 1
        endRow()
      }
    }
    endRow()
    return (rows, quotedSince)
  }

  /// Line breaks in a cell become spaces.
  private static func trimmed(_ bytes: [UInt8]) -> String {
    let spaced = bytes.map { $0 < 0x20 ? 0x20 : $0 }
    var rest = spaced[...]
    while rest.first == 0x20 { rest = rest.dropFirst() }
    while rest.last == 0x20 { rest = rest.dropLast() }
    return String(decoding: rest, as: UTF8.self).replacingNoBreakSpaces
  }
}

extension String {
  fileprivate var replacingNoBreakSpaces: String {
    guard unicodeScalars.contains("\u{A0}") else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.map { $0 == "\u{A0}" ? " " : $0 }))
  }
}
