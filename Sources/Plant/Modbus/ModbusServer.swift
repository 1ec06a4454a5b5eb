internal import Documents
internal import Synchronization

/// One simulated Modbus TCP device: what it holds, who wrote to it, and how it misbehaves. Safe to use from any thread.
public final class ModbusServer: Sendable {
  /// Counts from 1 within the plant.
  public let number: Int
  public let kind: ModbusKind
  public let host: String
  /// Where it listens, also while it is ``ModbusFault/offline``.
  public let port: Int
  /// The unit identifiers it answers to, besides 0 and 255, which address the TCP device itself.
  public let unitIDs: Set<UInt8>
  private let state: Mutex<State>
  private let changed: @Sendable () -> Void

  struct State {
    var model: any RegisterModel
    var image: RegisterImage
    let mapping: RegisterMapping
    var sequence: UInt32 = 0
    var faults: [ModbusFault] = []
    var statistics = ModbusStatistics()
    var writes: [WriteRecord] = []
  }

  /// The most writes that ``writes`` remembers; older ones go, ``ModbusStatistics/writes`` counts on.
  public static let rememberedWrites = 10_000

  init(
    number: Int, kind: ModbusKind, host: String, port: Int, unitIDs: Set<UInt8>, seed: UInt64,
    changed: @escaping @Sendable () -> Void
  ) {
    self.number = number
    self.kind = kind
    self.host = host
    self.port = port
    self.unitIDs = unitIDs
    self.changed = changed
    state = Mutex(State(kind: kind, number: number, seed: seed))
  }

  func withState<Result>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }

  // MARK: What tests and the control line see

  /// All four tables as a client would read them now.
  public var image: RegisterImage { state.withLock { $0.current } }

  /// Reads consecutive cells as the device's own panel would; nil where an address does not exist.
  public func read(_ table: RegisterTable, _ address: Int, count: Int = 1) -> [UInt16]? {
    let image = image
    guard count > 0, image.layout[table].contains(address), image.layout[table].contains(address + count - 1) else {
      return nil
    }
    return (address..<address + count).map { image[table, $0] }
  }

  /// Changes consecutive cells at the device, as a person at its panel would: recorded nowhere, refused never.
  /// Returns false where an address does not exist.
  @discardableResult
  public func set(_ table: RegisterTable, _ address: Int, to values: [UInt16]) -> Bool {
    state.withLock { state in
      let range = state.image.layout[table]
      guard !values.isEmpty, range.contains(address), range.contains(address + values.count - 1) else { return false }
      state.mapping.store(into: &state.image)
      for (offset, value) in values.enumerated() { state.image[table, address + offset] = value }
      state.mapping.load(state.image)
      return true
    }
  }

  /// The number in the ``SequenceCounter`` registers: ticks since the start.
  public var sequence: UInt32 { state.withLock { $0.sequence } }

  public var statistics: ModbusStatistics { state.withLock { $0.statistics } }

  /// Every write that a client made and the device took, oldest first.
  public var writes: [WriteRecord] { state.withLock { $0.writes } }

  /// How many of ``writes`` touched the cell.
  public func writeCount(_ table: RegisterTable, _ address: Int) -> Int {
    state.withLock { $0.writes.count { $0.write.table == table && $0.write.addresses.contains(address) } }
  }

  /// What is wrong with the device now; several faults act together. Assigning takes effect with the next request.
  public var faults: [ModbusFault] {
    get { state.withLock { $0.faults } }
    set {
      state.withLock { $0.faults = newValue }
      changed()
    }
  }

  /// Moves the device on by one tick.
  func tick(_ interval: Duration) { state.withLock { $0.tick(interval) } }
}

extension ModbusServer.State {
  init(kind: ModbusKind, number: Int, seed: UInt64) {
    model = kind.model(number: number, seed: seed)
    image = RegisterImage(layout: model.layout)
    mapping = RegisterMapping(layout: model.layout)
    model.prepare(&image)
    mapping.load(image)
  }

  var current: RegisterImage {
    var copy = image
    mapping.store(into: &copy)
    return copy
  }

  mutating func tick(_ interval: Duration) {
    mapping.store(into: &image)
    model.step(by: interval, &image)
    sequence &+= 1
    image.set(.input, SequenceCounter.address, uint32: sequence)
    mapping.load(image)
  }
}

/// A client's write that the device took.
public struct WriteRecord: Sendable, Equatable {
  /// Counts the plant's connections from 1.
  public var connection: Int
  /// The client's address and port.
  public var peer: String
  public var unit: UInt8
  public var function: UInt8
  public var write: RegisterWrite
  /// The device's tick at the time.
  public var sequence: UInt32
}

/// What a simulated Modbus server has seen since its start.
public struct ModbusStatistics: Sendable, Equatable {
  public var connectionsAccepted = 0
  public var connectionsOpen = 0
  /// Closed at once because the plant has its most connections.
  public var connectionsRefused = 0
  /// Whole requests, answered or not.
  public var requests = 0
  /// Requests by function code.
  public var requestsByFunction: [UInt8: Int] = [:]
  /// Answers that were exceptions, faults' included.
  public var exceptions = 0
  public var writes = 0
  /// Attempts to listen again after ``ModbusFault/offline`` that failed, because the port had been taken.
  public var failedListens = 0
  /// Streams that were no Modbus TCP, and were closed.
  public var brokenStreams = 0
}
