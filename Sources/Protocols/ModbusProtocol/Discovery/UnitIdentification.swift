/// Finds out whether a unit is there and who it is, with read-only requests: FC 43/14, then SunSpec, then FC 17.
package enum UnitIdentification: Sendable, Hashable {
  /// Nothing answered.
  case silent
  /// A gateway answered that the unit is not behind it.
  case gatewayWithoutUnit
  /// There is no connection to ask over.
  case unreachable(ModbusError)
  /// The unit answered; what it told of itself, empty where it refused every question.
  case found([String: String])

  /// Asks by `send`, which paces and counts. Any exception but those of a gateway proves that the unit is there.
  package static func identify(
    _ send: @escaping (ModbusRequest) async -> Result<ModbusResponse, ModbusError>
  ) async -> UnitIdentification {
    var questions = Questions(send: send)
    var identity: [String: String] = [:]
    guard await questions.deviceIdentification(into: &identity) else { return questions.ending }
    if identity["serialNumber"] == nil {
      guard await questions.sunSpec(into: &identity) else { return questions.ending }
    }
    if identity.isEmpty { guard await questions.serverID(into: &identity) else { return questions.ending } }
    return questions.isAlive ? .found(identity) : .silent
  }

  private struct Questions {
    let send: (ModbusRequest) async -> Result<ModbusResponse, ModbusError>
    var isAlive = false
    var ending = UnitIdentification.silent
    var silences = 0

    /// The answer; nil for a refusal or silence. `goesOn` turns false where asking further is of no use.
    mutating func ask(_ request: ModbusRequest) async -> (response: ModbusResponse?, goesOn: Bool) {
      switch await send(request) {
      case .success(let response):
        isAlive = true
        return (response, true)
      case .failure(.exception(let exception)):
        if exception.isFromGateway, !isAlive {
          ending = .gatewayWithoutUnit
          return (nil, false)
        }
        isAlive = true
        return (nil, true)
      case .failure(.timeout):
        // A unit may keep silent to a function that it does not know, but not to two.
        silences += 1
        if silences < 2 || isAlive { return (nil, silences < 4) }
        ending = .silent
        return (nil, false)
      case .failure(let error):
        if isAlive { return (nil, false) }
        ending = .unreachable(error)
        return (nil, false)
      }
    }

    mutating func deviceIdentification(into identity: inout [String: String]) async -> Bool {
      var gathered = DeviceIdentification()
      for code in [1, 2] as [UInt8] {
        var object: UInt8? = code == 1 ? 0 : 3
        while let next = object {
          let answer = await ask(.readDeviceIdentification(code: code, objectID: next))
          guard answer.goesOn else { return settle(gathered, &identity) }
          guard case .identification(let page) = answer.response else { break }
          object = gathered.take(page)
        }
        if gathered.objects.isEmpty { break }
      }
      identity.merge(gathered.identity) { _, new in new }
      return true
    }

    private mutating func settle(_ gathered: DeviceIdentification, _ identity: inout [String: String]) -> Bool {
      identity.merge(gathered.identity) { _, new in new }
      if isAlive { ending = .found(identity) }
      return false
    }

    mutating func sunSpec(into identity: inout [String: String]) async -> Bool {
      for base in SunSpecCommon.bases {
        let head = await ask(.read(.holding, address: base, count: 2))
        guard head.goesOn else { return settle(DeviceIdentification(), &identity) }
        guard head.response == .registers(SunSpecCommon.marker) else { continue }
        // Model ID and length of model 1 precede its body.
        let body = await ask(.read(.holding, address: base + 4, count: SunSpecCommon.length))
        if case .registers(let registers) = body.response, let common = SunSpecCommon(registers) {
          identity.merge(common.identity) { _, new in new }
        }
        return body.goesOn || settle(DeviceIdentification(), &identity)
      }
      return true
    }

    mutating func serverID(into identity: inout [String: String]) async -> Bool {
      let answer = await ask(.reportServerID)
      if case .serverID(let bytes) = answer.response {
        let text = bytes.filter { (0x20..<0x7F).contains($0) }.deviceText
        if text.count >= 3 { identity["serverID"] = text }
      }
      return answer.goesOn || settle(DeviceIdentification(), &identity)
    }
  }
}
