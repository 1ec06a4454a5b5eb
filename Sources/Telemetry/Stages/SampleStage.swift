/// One step on the way of samples. Works on whole batches; owned by one pipeline.
///
/// The pipeline calls ``grow(to:)`` before anything that may meet a new slot.
package protocol SampleStage: AnyObject {
  var name: String { get }
  var counters: StageCounters { get }

  /// The layout of what ``save(slot:to:)`` writes. State of another version is forgotten, not read.
  var stateVersion: UInt8 { get }

  /// The gateway's time, in nanoseconds since 1970, from which ``advance(to:_:)`` has something to do; `Int64.max`:
  /// nothing waits.
  var dueAt: Int64 { get }

  /// Makes room for slots below `count`.
  func grow(to count: Int)

  /// Tells what a slot's series is, and lets the stage change what the stages after it and the receivers are told.
  /// Called when a slot is made and when something of that changes.
  func describe(slot: Int, _ details: inout SeriesDetails)

  /// Keeps the rows that pass, or rewrites the flow.
  func process(_ flow: SampleFlow)

  /// Puts into the empty flow what falls due without a sample. Called when the gateway's clock reaches ``dueAt``.
  func advance(to now: Int64, _ flow: SampleFlow)

  /// Puts the samples that are kept back into the empty flow: those of one slot, or (nil) of all. The stage goes on as
  /// if they had passed by themselves.
  func flush(slot: Int?, _ flow: SampleFlow)

  /// Moves times of the slot by so many nanoseconds: its samples have the gateway's times, and its clock has been set.
  func moveTimes(of slot: Int, by nanoseconds: Int64)

  /// Moves what waits for the gateway's clock along with it, which has been set by so many nanoseconds.
  func clockStepped(by nanoseconds: Int64)

  /// Appends the slot's state; nothing where the stage has none.
  func save(slot: Int, to output: inout ByteWriter)

  /// Takes back what ``save(slot:to:)`` wrote in the same version.
  func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault)
}

extension SampleStage {
  package var stateVersion: UInt8 { 1 }
  package var dueAt: Int64 { .max }
  package func grow(to count: Int) {}
  package func describe(slot: Int, _ details: inout SeriesDetails) {}
  package func advance(to now: Int64, _ flow: SampleFlow) {}
  package func flush(slot: Int?, _ flow: SampleFlow) {}
  package func moveTimes(of slot: Int, by nanoseconds: Int64) {}
  package func clockStepped(by nanoseconds: Int64) {}
  package func save(slot: Int, to output: inout ByteWriter) {}
  package func restore(slot: Int, from input: inout ByteReader) throws(DecodingFault) {}
}
