internal import DeviceKit

/// One field of one step, while records are joined in it: constant memory, exact for integers.
struct JoinCell {
  private var exact: Int128 = 0
  private var rest = CompensatedSum()
  private var isInteger = true
  private var weight = CompensatedSum()
  private var terms = 0
  /// Of a single record, or the one that has won.
  private var value: Value?
  private var time: Int64 = 0

  mutating func take(_ join: FieldJoin, _ columns: RecordColumns, _ row: Int) {
    switch join {
    case .number: add(Numeral(exact: 1))
    case .total(let column):
      let number = columns.number(column, of: row)
      guard !number.isAbsent else { return }
      add(number)
    case .least(let column): hold(columns, column, row) { $0.isLess(than: $1) }
    case .greatest(let column): hold(columns, column, row) { $1.isLess(than: $0) }
    case .earliest(let column):
      guard let value = columns.value(column, of: row), terms == 0 || columns.starts[row] < time else { return }
      (self.value, time, terms) = (value, columns.starts[row], terms + 1)
    case .latest(let column):
      guard let value = columns.value(column, of: row), terms == 0 || columns.starts[row] >= time else { return }
      (self.value, time, terms) = (value, columns.starts[row], terms + 1)
    case .mean(let column, let weighing):
      let number = columns.number(column, of: row)
      guard !number.isAbsent else { return }
      let weight = Self.weight(weighing, columns, row)
      rest.add(number.double * weight)
      self.weight.add(weight)
      keep(columns.value(column, of: row))
    case .quotient(let mean, let sum, let count):
      let (total, number) = (columns.number(sum, of: row), columns.number(count, of: row))
      guard !total.isAbsent, !number.isAbsent, let single = columns.value(mean, of: row) else { return }
      add(total)
      weight.add(number.double)
      // The sum is one term, whatever it was made of.
      value = terms == 1 ? single : nil
    }
  }

  private static func weight(_ weight: FieldJoin.Weight, _ columns: RecordColumns, _ row: Int) -> Double {
    let length = Double(columns.times[row] &- columns.starts[row]) / 1e9
    return switch weight {
    case .equal: 1
    case .column(let column): columns.number(column, of: row).double
    case .length: length
    case .share(let column): length * columns.number(column, of: row).double / 100
    }
  }

  private mutating func add(_ number: Numeral) {
    if let integer = number.exact {
      exact += integer
    } else {
      rest.add(number.double)
      isInteger = false
    }
    keep(nil)
  }

  /// Notes one more term; `single` is the result as long as it is the only one.
  private mutating func keep(_ single: Value?) {
    terms += 1
    value = terms == 1 ? single : nil
  }

  private mutating func hold(
    _ columns: RecordColumns, _ column: Int, _ row: Int, _ wins: (Numeral, Numeral) -> Bool
  ) {
    let number = columns.number(column, of: row)
    guard !number.isAbsent else { return }
    let held = Numeral(kind: value?.kind ?? .none, payload: value?.payload ?? 0)
    if terms == 0 || wins(number, held) { value = Value(kind: number.kind, payload: number.payload, side: nil) }
    terms += 1
  }

  /// Nil where no record had the field.
  func result(_ join: FieldJoin) -> Value? {
    guard terms > 0 else { return nil }
    switch join {
    case .total, .number:
      let number = isInteger ? Numeral(exact: exact) : Numeral(finite: Double(exact) + rest.value)
      return Value(kind: number.kind, payload: number.payload, side: nil)
    case .least, .greatest, .earliest, .latest: return value
    case .mean, .quotient:
      if let value { return value }
      let mean = (Double(exact) + rest.value) / weight.value
      return mean.isFinite ? .number(mean) : nil
    }
  }
}

extension Numeral {
  /// Exact between integers.
  fileprivate func isLess(than other: Numeral) -> Bool {
    if let mine = exact, let others = other.exact { return mine < others }
    return double < other.double
  }
}
