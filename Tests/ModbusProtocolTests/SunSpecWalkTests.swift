import DeviceKit
import ModbusProtocol
import Testing

@Suite struct SunSpecWalkTests {
  private let common = SunSpecImage.common("Sunny Works", "SW-10K", "1.4", "S-0815")
  private let inverter = [UInt16](repeating: 0, count: 50)

  @Test(arguments: [40_000, 0, 50_000])
  func aChainIsFoundAtEachBase(base: Int) throws {
    let (chain, reads) = SunSpecImage(base: base, models: [(1, common), (103, inverter)]).walk()
    let found = try #require(chain)
    #expect(Int(found.base) == base && found.fault == nil)
    #expect(found.models.map(\.id) == [1, 103])
    #expect(found.models.map { Int($0.address) } == [base + 4, base + 72])
    #expect(found.common?.serialNumber == "S-0815" && found.common?.manufacturer == "Sunny Works")
    #expect(reads.allSatisfy { (1...125).contains($0.count) })
  }

  @Test func aDeviceWithoutTheMarkIsAskedThreeTimes() {
    var image = SunSpecImage(models: [])
    image.registers[40_000] = 0x5376
    let (chain, reads) = image.walk()
    #expect(chain == nil && reads.map(\.address) == [40_000, 0, 50_000])
  }

  @Test func theEndMayLackItsLength() {
    let (chain, reads) = SunSpecImage(models: [(1, common)], end: [0xFFFF]).walk()
    #expect(chain?.fault == nil && chain?.models.count == 1)
    #expect(reads.last?.count == 1)
  }

  @Test func aCommonModelOf65RegistersIsReadWhole() {
    let (chain, _) = SunSpecImage(models: [(1, Array(common.dropLast())), (103, inverter)]).walk()
    #expect(chain?.common?.serialNumber == "S-0815" && chain?.models.last?.address == 40_071)
  }

  @Test func aModelThatLeadsPastTheLastRegisterEndsTheWalk() {
    var image = SunSpecImage(models: [(1, common), (103, inverter)])
    image.registers[40_071] = 30_000
    let chain = image.walk().chain
    #expect(chain?.models.map(\.id) == [1])
    #expect(chain?.fault == "model 103 at register 40070 claims 30000 registers, which lead past 65535")
  }

  @Test func whatIsRefusedMidwayIsSaid() {
    var image = SunSpecImage(models: [(1, common), (103, inverter)])
    image.registers[40_122] = nil
    #expect(image.walk().chain?.fault == "the device does not let register 40122 be read")
    image.registers[40_122] = 0
    #expect(image.walk().chain?.fault == "the model at register 40122 has the ID 0")
  }

  @Test func aChainWithoutEndIsLeft() {
    // Models of length 0 as far as the registers go.
    var image = SunSpecImage(models: [])
    for address in 40_002...65_535 { image.registers[address] = address % 2 == 0 ? 64_001 : 0 }
    let (chain, reads) = image.walk()
    #expect(chain?.models.count == SunSpecWalk.mostModels && chain?.fault == "more than 64 models")
    #expect(reads.count <= SunSpecWalk.mostRequests)
  }

  @Test func aUnitThatStopsAnsweringLeavesWhatIsKnown() {
    let image = SunSpecImage(models: [(1, common), (103, inverter)])
    var walk = SunSpecWalk()
    for _ in 0..<3 { walk.take(walk.request.flatMap { image.read(Int($0.address), Int($0.count)) }) }
    walk.giveUp()
    #expect(walk.request == nil && walk.chain?.common?.model == "SW-10K")
    #expect(walk.chain?.fault == "the device stopped answering")
  }

  /// Chains of every kind of nonsense: it ends, reads what may be read, and places nothing outside its model.
  @Test(arguments: 0..<8) func noDeviceLeadsTheWalkAstray(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let known = SunSpecTable.ids
    for round in 0..<400 {
      var walk = SunSpecWalk()
      var requests = 0
      while let request = walk.request {
        requests += 1
        #expect((1...125).contains(request.count) && Int(request.address) + Int(request.count) <= 65_536)
        guard requests <= SunSpecWalk.mostRequests else { break }
        walk.take(answer(to: request, round: round, known, using: &random))
      }
      #expect(requests <= SunSpecWalk.mostRequests, "seed \(seed), round \(round)")
      guard let chain = walk.chain else { continue }
      for (model, next) in zip(chain.models, chain.models.dropFirst()) {
        #expect(Int(model.address) + Int(model.length) <= Int(next.address) - 2)
      }
      let layout = SunSpecLayout(chain)
      #expect(layout.places.count <= SunSpecLayout.mostPlaces)
      #expect(Set(layout.places.map(\.name)).count == layout.places.count)
      for place in layout.places {
        let end = Int(place.address) + place.point.registers
        #expect(
          chain.models.contains {
            $0.id == place.model && $0.address <= place.address && end <= Int($0.address) + Int($0.length)
          })
      }
    }
  }

  private func answer(
    to request: (address: UInt16, count: UInt16), round: Int, _ known: [UInt16], using random: inout SplitMix64
  ) -> [UInt16]? {
    switch Int.random(in: 0..<12, using: &random) {
    case 0: return nil
    case 1: return [UInt16](repeating: 7, count: Int.random(in: 0...130, using: &random))
    default: break
    }
    guard request.count == 2 else {
      return (0..<request.count).map { _ in
        round % 2 == 0 ? .random(in: 0...4, using: &random) : .random(in: .min ... .max, using: &random)
      }
    }
    if SunSpecWalk.bases.contains(request.address) { return SunSpecWalk.marker }
    let id = round % 3 == 0 ? .random(in: .min ... .max, using: &random) : known.randomElement(using: &random) ?? 1
    let length: UInt16 =
      switch Int.random(in: 0..<6, using: &random) {
      case 0: 0
      case 1: .random(in: .min ... .max, using: &random)
      default: .random(in: 0...400, using: &random)
      }
    return [id, length]
  }
}
