/// A register number as Modicon manuals write it: the table's digit, then four or five digits counted from 1.
public struct ModiconRegister: Sendable, Hashable {
  public var table: RegisterTable
  /// Zero-based.
  public var address: UInt16

  /// Nil for a number in no table. A coil's leading 0 is lost in an integer: 1 to 9999 are coils.
  public init?(_ number: Int) {
    for table in RegisterTable.allCases {
      for (base, count) in [(table.modiconDigit * 10_000, 9_999), (table.modiconDigit * 100_000, 65_536)] {
        if table == .coil, base == 0, count == 65_536 { continue }
        guard (base + 1...base + count).contains(number) else { continue }
        self.table = table
        address = UInt16(number - base - 1)
        return
      }
    }
    return nil
  }

  /// The number of an address, of five digits where four can count it and of six elsewhere: `40041`, `00007`, `410001`.
  package static func text(_ table: RegisterTable, _ address: Int) -> String {
    let digits = address < 9_999 ? 4 : 5
    let number = String(address + 1)
    return "\(table.modiconDigit)" + String(repeating: "0", count: max(0, digits - number.count)) + number
  }
}
