import ModbusProtocol

/// The holding registers of a SunSpec device that a test makes up; every other register is refused.
struct SunSpecImage: Sendable {
  var registers: [Int: UInt16] = [:]

  /// "SunS" at `base`, the models with their IDs and lengths, and `end`.
  init(base: Int = 40_000, models: [(id: UInt16, body: [UInt16])], end: [UInt16] = [0xFFFF, 0]) {
    var address = base
    func put(_ words: [UInt16]) {
      for word in words {
        registers[address] = word
        address += 1
      }
    }
    put([0x5375, 0x6E53])
    for model in models { put([model.id, UInt16(model.body.count)] + model.body) }
    put(end)
  }

  static func text(_ text: String, _ count: Int) -> [UInt16] {
    let bytes = Array(text.utf8) + [UInt8](repeating: 0, count: count * 2 - text.utf8.count)
    return (0..<count).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
  }

  /// The body of model 1.
  static func common(_ maker: String, _ model: String, _ version: String, _ serial: String) -> [UInt16] {
    text(maker, 16) + text(model, 16) + text("", 8) + text(version, 8) + text(serial, 16) + [1, 0]
  }

  func read(_ address: Int, _ count: Int) -> [UInt16]? {
    let words = (address..<address + count).compactMap { registers[$0] }
    return words.count == count ? words : nil
  }

  /// The answer to a request in MBAP framing, as a server without FC 43 and 17 gives it.
  func reply(_ request: [UInt8]) -> [UInt8] {
    let header = Array(request[0..<4])
    guard request[7] == 3 else { return header + [0, 3, request[6], request[7] | 0x80, 1] }
    let address = Int(request[8]) << 8 | Int(request[9])
    guard let words = read(address, Int(request[10]) << 8 | Int(request[11])) else {
      return header + [0, 3, request[6], 0x83, 2]
    }
    var body: [UInt8] = [request[6], 3, UInt8(words.count * 2)]
    for word in words { body += [UInt8(word >> 8), UInt8(word & 255)] }
    return header + [0, UInt8(body.count)] + body
  }

  /// Walks along the chain; what was found, and the reads in their order.
  func walk() -> (chain: SunSpecChain?, reads: [(address: Int, count: Int)]) {
    var walk = SunSpecWalk()
    var reads: [(address: Int, count: Int)] = []
    while let request = walk.request, reads.count < 1_000 {
      reads.append((Int(request.address), Int(request.count)))
      walk.take(read(Int(request.address), Int(request.count)))
    }
    return (walk.chain, reads)
  }
}
