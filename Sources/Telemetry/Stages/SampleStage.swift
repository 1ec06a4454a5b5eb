/// What went through a stage since it was made. At any moment `input == output + dropped + held`.
public struct StageCounters: Sendable, Hashable {
  public var input: UInt64 = 0
  /// Samples passed on; for an aggregate, samples in windows that have closed.
  public var output: UInt64 = 0
  /// By cause: `filtered`, `notNumeric`, `deadband`, `throttled`, `unchanged`, `late`, `badQuality`, `nonFinite`,
  /// `timeOutOfRange`.
  public var dropped: [String: UInt64] = [:]
  /// Samples in open windows.
  public var held: UInt64 = 0

  public init() {}

  public var droppedTotal: UInt64 { dropped.values.reduce(0, +) }

  /// Counts samples under a cause; nothing for none, so that causes appear once they occur.
  mutating func drop(_ count: Int, _ cause: String) {
    guard count > 0 else { return }
    dropped[cause, default: 0] += UInt64(count)
  }
}

/// One step on the way of samples: narrows the selection. Works on whole batches; owned by one pipeline.
package protocol SampleStage: AnyObject {
  var name: String { get }
  var counters: StageCounters { get }

  /// Makes room for slots below `count`.
  func grow(to count: Int)

  /// Tells what a slot's series is: its range where it is known. Called when a slot is made and when that changes.
  func describe(slot: Int, range: ClosedRange<Double>?)

  /// Keeps the rows that pass, in their order.
  func process(_ columns: BatchColumns, _ selection: Selection)

  /// Appends the slot's state; nothing where the stage has none.
  func save(slot: Int, to output: inout ByteWriter)

  /// Takes back what ``save(slot:to:)`` wrote.
  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault)
}

extension SampleStage {
  package func grow(to count: Int) {}
  package func describe(slot: Int, range: ClosedRange<Double>?) {}
  package func save(slot: Int, to output: inout ByteWriter) {}
  package func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {}
}
