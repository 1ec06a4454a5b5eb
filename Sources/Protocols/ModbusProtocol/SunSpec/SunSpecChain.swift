/// The models that a device has, in their order, as a walk along them found it.
package struct SunSpecChain: Sendable, Hashable {
  package struct Model: Sendable, Hashable {
    package var id: UInt16
    /// The first register behind ID and length.
    package var address: UInt16
    /// How many registers the device says that follow there.
    package var length: UInt16
    /// The first of these as they were read, where their content decides on what follows; else empty.
    package var head: [UInt16]

    package init(id: UInt16, address: UInt16, length: UInt16, head: [UInt16] = []) {
      self.id = id
      self.address = address
      self.length = length
      self.head = head
    }
  }
  /// Where "SunS" stands.
  package var base: UInt16
  package var models: [Model]
  /// Why the chain was left before its end; nil: it was walked whole.
  package var fault: String?

  package init(base: UInt16, models: [Model] = []) {
    self.base = base
    self.models = models
  }

  /// Who made the device; nil where the chain has no readable model 1.
  package var common: SunSpecCommon? {
    models.lazy.filter { $0.id == 1 }.compactMap { SunSpecCommon($0.head) }.first
  }
}

/// Walks along a device's chain of models by reads of holding registers (SunSpec Device Information Model Specification,
/// section 6). Pure: says what to read, takes what came.
///
/// It ends for every device: addresses only rise, models and requests are counted. Nothing is taken from beyond what was
/// read, and no length is believed before it is compared with the address space.
package struct SunSpecWalk: Sendable {
  /// Where a chain may begin, zero-based, in the order to try.
  package static let bases: [UInt16] = [40_000, 0, 50_000]
  /// "SunS" in two registers.
  package static let marker: [UInt16] = [0x5375, 0x6E53]
  /// The ID of what ends a chain.
  package static let endID: UInt16 = 0xFFFF
  /// Models that are walked along at most.
  package static let mostModels = 64
  /// Requests of one walk at most: the markers, then ID and length and a head of each model, and what ends the chain.
  package static let mostRequests = 3 + mostModels * 2 + 3

  private enum Step: Hashable {
    case marker(Int)
    /// ID and length of the next model.
    case header(Int)
    /// An ID alone: some devices have no length behind the last one.
    case end(Int)
    case head(Int)
    case over
  }
  private var step = Step.marker(0)
  /// Nil until "SunS" was read.
  package private(set) var chain: SunSpecChain?

  package init() {}

  /// The first register to read and how many, 1 to 125; nil: the walk is over.
  package var request: (address: UInt16, count: UInt16)? {
    switch step {
    case .marker(let index): return (Self.bases[index], 2)
    case .header(let address): return (UInt16(address), 2)
    case .end(let address): return (UInt16(address), 1)
    case .head(let count): return chain?.models.last.map { ($0.address, UInt16(count)) }
    case .over: return nil
    }
  }

  /// Takes the registers that ``request`` asked for; nil, or another number of them, where the device refused.
  package mutating func take(_ answer: [UInt16]?) {
    let registers = answer.flatMap { $0.count == Int(request?.count ?? 0) ? $0 : nil }
    switch step {
    case .marker(let index):
      if registers == Self.marker {
        chain = SunSpecChain(base: Self.bases[index])
        step = .header(Int(Self.bases[index]) + 2)
      } else {
        step = index + 1 < Self.bases.count ? .marker(index + 1) : .over
      }
    case .header(let address):
      guard let registers else {
        step = .end(address)
        return
      }
      enter(id: registers[0], length: registers[1], at: address + 2)
    case .end(let address):
      if registers != [Self.endID] { chain?.fault = "the device does not let register \(address) be read" }
      step = .over
    case .head:
      if let registers, let last = chain?.models.indices.last { chain?.models[last].head = registers }
      proceed()
    case .over: break
    }
  }

  /// Nobody answers any more: what is known so far is all.
  package mutating func giveUp() {
    if step != .over, chain != nil { chain?.fault = "the device stopped answering" }
    step = .over
  }

  private mutating func enter(id: UInt16, length: UInt16, at body: Int) {
    guard id != Self.endID else { return step = .over }
    guard id != 0 else { return leave("the model at register \(body - 2) has the ID 0") }
    guard body < 65_536, body + Int(length) <= 65_536 else {
      return leave("model \(id) at register \(body - 2) claims \(length) registers, which lead past 65535")
    }
    guard chain?.models.count ?? 0 < Self.mostModels else { return leave("more than \(Self.mostModels) models") }
    let model = SunSpecChain.Model(id: id, address: UInt16(body), length: length)
    chain?.models.append(model)
    let count = Self.headLength(of: model)
    if count > 0 { step = .head(count) } else { proceed() }
  }

  private mutating func proceed() {
    guard let model = chain?.models.last else { return step = .over }
    let address = Int(model.address) + Int(model.length)
    if address <= 65_534 { return step = .header(address) }
    if address == 65_535 { return step = .end(address) }
    leave("the chain does not end before register 65535")
  }

  private mutating func leave(_ fault: String) {
    chain?.fault = fault
    step = .over
  }

  /// How many of a model's registers are read on the way: all of model 1, and those before the groups of models that have
  /// any, as they hold the groups' numbers and scale factors.
  private static func headLength(of model: SunSpecChain.Model) -> Int {
    if model.id == 1 { return min(Int(model.length), 66) }
    guard let body = SunSpecTable.definition(of: model.id)?.body, !body.groups.isEmpty else { return 0 }
    return min(body.pointRegisters, Int(model.length), 125)
  }
}
