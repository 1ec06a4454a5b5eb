/// What the server answers to FC 43/14 (Modbus Application Protocol V1.1b3, section 6.21): the basic and the regular
/// objects, as a stream or one by one. Pure.
struct ServerIdentification: Sendable {
  private let objects: [(id: UInt8, text: [UInt8])]
  /// Regular identification, stream and individual access.
  private static let conformity: UInt8 = 0x82
  /// The most bytes of one object, so that any of them fits an answer.
  private static let longestText = 64

  init(version: String, name: String) {
    let texts = ["Selvedge", "selvedge", version, "", "Selvedge device gateway", name, ""]
    objects = texts.enumerated().map { (UInt8($0.offset), Array($0.element.utf8.prefix(Self.longestText))) }
      .filter { !$0.text.isEmpty }
  }

  /// The answer's bytes behind the function code. Throws exception 3 for a code that there is not, 2 for one object that
  /// there is not.
  func answer(code: UInt8, objectID: UInt8) throws(ModbusException) -> [UInt8] {
    let told: [(id: UInt8, text: [UInt8])]
    switch code {
    case 1: told = stream(0...2, from: objectID)
    // There are no extended objects: the regular ones are all that the server has.
    case 2, 3: told = stream(0...0x7F, from: objectID)
    case 4:
      guard let object = objects.first(where: { $0.id == objectID }) else { throw .illegalDataAddress }
      told = [object]
    default: throw .illegalDataValue
    }
    // All of them fit one answer: nothing follows.
    return [0x0E, code, Self.conformity, 0, 0, UInt8(told.count)]
      + told.flatMap { [$0.id, UInt8($0.text.count)] + $0.text }
  }

  /// An object that there is not begins the stream anew.
  private func stream(_ ids: ClosedRange<UInt8>, from first: UInt8) -> [(id: UInt8, text: [UInt8])] {
    let start = objects.contains { $0.id == first && ids.contains($0.id) } ? first : 0
    return objects.filter { ids.contains($0.id) && $0.id >= start }
  }
}
