internal import DeviceKit

extension ByteWriter {
  mutating func numeral(_ number: Numeral) {
    byte(number.kind.rawValue)
    fixed(number.payload)
  }

  mutating func sum(_ sum: CompensatedSum) {
    fixed(sum.sum)
    fixed(sum.lost)
  }
}

extension ByteReader {
  mutating func numeral() throws(DecodingFault) -> Numeral {
    guard let kind = SampleKind(rawValue: try byte()), kind != .boolean, kind != .side else { throw DecodingFault() }
    let payload: UInt64 = try fixed()
    return Numeral(kind: kind, payload: payload)
  }

  mutating func sum() throws(DecodingFault) -> CompensatedSum {
    let sum = try double()
    return CompensatedSum(sum: sum, lost: try double())
  }
}

extension EdgeCell {
  func save(_ shelf: borrowing SideShelf, to output: inout ByteWriter) {
    output.fixed(firstTime)
    output.fixed(lastTime)
    output.value(firstKind == .side ? shelf.value(at: first) : Value(kind: firstKind, payload: first, side: nil))
    output.value(lastKind == .side ? shelf.value(at: last) : Value(kind: lastKind, payload: last, side: nil))
  }

  init(from input: inout ByteReader, _ shelf: inout SideShelf) throws(DecodingFault) {
    firstTime = try input.fixed()
    lastTime = try input.fixed()
    if let value = try input.value() { (first, firstKind) = (shelf.keep(value), value.kind) }
    if let value = try input.value() { (last, lastKind) = (shelf.keep(value), value.kind) }
  }
}

extension Moments {
  func save(to output: inout ByteWriter) {
    output.numeral(origin)
    output.fixed(count)
    output.fixed(mean)
    output.fixed(squares)
  }

  init(from input: inout ByteReader) throws(DecodingFault) {
    origin = try input.numeral()
    count = try input.double()
    mean = try input.double()
    squares = try input.double()
  }
}

extension Course {
  func save(to output: inout ByteWriter) {
    output.byte((isEmpty ? 1 : 0) | (isKnown ? 2 : 0) | (holds ? 4 : 0) | (isFractional ? 8 : 0))
    guard !isEmpty else { return }
    for time in [start, end, firstTime, lastTime, known, held] { output.fixed(time) }
    output.numeral(first)
    output.numeral(last)
    output.sum(integral)
    output.fixed(wholeIncrease)
    output.sum(increase)
  }

  init(from input: inout ByteReader) throws(DecodingFault) {
    let flags = try input.byte()
    (isEmpty, isKnown) = (flags & 1 != 0, flags & 2 != 0)
    (holds, isFractional) = (flags & 4 != 0, flags & 8 != 0)
    guard !isEmpty else { return }
    start = try input.fixed()
    end = try input.fixed()
    firstTime = try input.fixed()
    lastTime = try input.fixed()
    known = try input.fixed()
    held = try input.fixed()
    first = try input.numeral()
    last = try input.numeral()
    integral = try input.sum()
    wholeIncrease = try input.fixed()
    increase = try input.sum()
  }
}
