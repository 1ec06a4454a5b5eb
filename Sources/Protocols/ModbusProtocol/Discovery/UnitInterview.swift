/// Finds out whether a unit is there and who it is, by read-only requests one after the other: FC 43/14, then SunSpec,
/// then, for a unit that has told nothing, FC 17, and at last the serial number's registers where a DeviceModel says which
/// these are. Pure: says what to ask, takes how it ended.
///
/// It ends for every unit, whatever that answers: each part counts what it asks.
package struct UnitInterview: Sendable {
  package enum Ending: Sendable, Hashable {
    /// Nothing answered.
    case silent
    /// A gateway answered that the unit is not behind it.
    case gatewayWithoutUnit
    /// There is no connection to ask over.
    case unreachable(ModbusError)
    /// The unit answered; what it told of itself stands in ``identity``, empty where it refused every question.
    case found
  }
  private enum Part { case identification, sunSpec, serverID, serialNumber }

  /// Questions in a row without an answer after which a unit that never answered is taken for absent: it may keep silent
  /// to a function that it does not know, but not to two.
  static let silencesOfAbsent = 2
  /// Silences after which a unit that did answer is not asked further.
  static let silencesOfPresent = 4
  /// The most questions to one unit.
  package static let mostRequests = DeviceIdentification.mostRounds + 3 + SunSpecWalk.mostRequests + 2

  private var part = Part.identification
  private var identification = DeviceIdentification()
  private var walk = SunSpecWalk()
  private var serverID: String?
  private let serialNumberRead: @Sendable (_ identity: [String: String]) -> SerialNumberRead?
  private var serialNumber: String?
  /// The model whose serial number was asked for.
  package private(set) var asked: SerialNumberRead?
  private var isAlive = false
  private var silences = 0
  /// Nil while there is something to ask.
  package private(set) var ending: Ending?

  /// `serialNumberRead`: how a unit of this identity that has told no serial number tells it; nil: not at all.
  package init(
    serialNumberRead: @escaping @Sendable (_ identity: [String: String]) -> SerialNumberRead? = { _ in nil }
  ) {
    self.serialNumberRead = serialNumberRead
  }

  /// What to ask next; nil: the interview is over.
  package var request: ModbusRequest? {
    guard ending == nil else { return nil }
    switch part {
    case .identification: return identification.request
    case .sunSpec: return walk.request.map { .read(.holding, address: $0.address, count: $0.count) }
    case .serverID: return .reportServerID
    case .serialNumber: return asked?.request
    }
  }

  /// Takes the end of what ``request`` asked.
  package mutating func take(_ result: Result<ModbusResponse, ModbusError>) {
    guard ending == nil else { return }
    switch result {
    case .success(let response):
      isAlive = true
      answered(response)
    case .failure(.exception(let exception)):
      if exception.isFromGateway, !isAlive { return ending = .gatewayWithoutUnit }
      isAlive = true
      answered(nil)
    case .failure(.timeout):
      silences += 1
      if silences >= (isAlive ? Self.silencesOfPresent : Self.silencesOfAbsent) { return giveUp(.silent) }
      answered(nil)
    case .failure(let error): return giveUp(.unreachable(error))
    }
    while ending == nil, request == nil { proceed() }
  }

  /// `response` nil: a refusal, or silence.
  private mutating func answered(_ response: ModbusResponse?) {
    switch part {
    case .identification:
      if case .identification(let page)? = response { identification.take(page) } else { identification.refused() }
    case .sunSpec:
      if case .registers(let registers)? = response { walk.take(registers) } else { walk.take(nil) }
    case .serverID:
      if case .serverID(let bytes)? = response {
        // What lies between its characters is the maker's own, the run indicator at the end among it.
        let text = bytes.filter { (0x20..<0x7F).contains($0) }.prefix(128).deviceText
        if text.count >= 3 { serverID = text }
      }
      askSerialNumber()
    case .serialNumber:
      if case .registers(let registers)? = response { serialNumber = asked?.text(in: registers) }
      end()
    }
  }

  private mutating func proceed() {
    switch part {
    case .identification: part = .sunSpec
    case .sunSpec: if told.isEmpty { part = .serverID } else { askSerialNumber() }
    case .serverID, .serialNumber: end()
    }
  }

  private mutating func askSerialNumber() {
    guard isAlive, told["serialNumber"] == nil, let read = serialNumberRead(told) else { return end() }
    asked = read
    part = .serialNumber
  }

  private mutating func end() { ending = isAlive ? .found : .silent }

  private mutating func giveUp(_ absent: Ending) {
    walk.giveUp()
    ending = isAlive ? .found : absent
  }

  /// What is known of the unit: `vendorName`, `productCode`, `modelName`, `revision`, `serialNumber` …
  package var identity: [String: String] {
    var identity = told
    if let serialNumber { identity["serialNumber"] = serialNumber }
    return identity
  }

  /// What of ``identity`` the unit told by itself, without anybody's knowing its registers.
  package var told: [String: String] {
    var identity = identification.identity
    if let common = walk.chain?.common { identity.merge(common.identity) { _, new in new } }
    if let serverID { identity["serverID"] = serverID }
    return identity
  }

  /// The unit's SunSpec models; nil where it has none.
  package var chain: SunSpecChain? { walk.chain }
}
