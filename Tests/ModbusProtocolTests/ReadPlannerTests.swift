import DeviceKit
import ModbusProtocol
import Testing

@Suite struct ReadPlannerTests {
  private func items(_ places: [(Int, Int)], _ table: RegisterTable = .holding) -> [ReadItem] {
    places.enumerated().map { ReadItem(item: $0, table: table, address: $1.0, length: $1.1) }
  }

  @Test(arguments: 0..<200)
  func randomPlansReadEveryItemOnceWithinTheLimits(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let limits = ReadPlanner.Limits(
      registersPerRead: .random(in: 4...125, using: &random), bitsPerRead: .random(in: 8...2000, using: &random),
      registerGap: .random(in: 0...60, using: &random), bitGap: .random(in: 0...300, using: &random))
    var planner = ReadPlanner(limits: limits)
    let items = (0..<Int.random(in: 1...150, using: &random)).map { index in
      let table = RegisterTable.allCases.randomElement(using: &random) ?? .coil
      let length = table.holdsBits ? 1 : [1, 1, 1, 2, 4].randomElement(using: &random) ?? 1
      return ReadItem(item: index, table: table, address: .random(in: 0...900, using: &random), length: length)
    }
    func check(_ blocks: [ReadBlock]) {
      #expect(blocks.flatMap { $0.items.map(\.item) }.sorted() == Array(items.indices))
      for block in blocks {
        #expect(block.count <= (block.table.holdsBits ? limits.bitsPerRead : limits.registersPerRead))
        var end = block.address
        for item in block.items {
          #expect(item.table == block.table && item.address >= block.address)
          #expect(item.address + item.length <= block.address + block.count)
          #expect(item.address - end <= (block.table.holdsBits ? limits.bitGap : limits.registerGap))
          end = max(end, item.address + item.length)
        }
        #expect(end == block.address + block.count, "nothing is read behind the last item")
      }
    }
    let blocks = planner.plan(items)
    check(blocks)
    // A device with holes: every readable item is found, none is asked for for ever.
    let holes = Set((0..<20).map { _ in Int.random(in: 0...900, using: &random) })
    func refused(_ block: ReadBlock) -> Bool {
      (block.address..<block.address + block.count).contains { holes.contains($0) }
    }
    let readable = items.filter { item in !(item.address..<item.address + item.length).contains { holes.contains($0) } }
    var learned: [Int] = []
    while learned.count < 2 || learned.suffix(2).first != learned.last, learned.count < 50 {
      var pending = planner.plan(items)
      check(pending)
      var read: Set<Int> = []
      while let block = pending.popLast() {
        if !refused(block) {
          read.formUnion(block.items.map(\.item))
        } else if let parts = planner.part(block) {
          #expect(parts.count > 1)
          #expect(parts.flatMap { $0.items.map(\.item) }.sorted() == block.items.map(\.item).sorted())
          pending += parts
        } else {
          #expect(Set(block.items.map { [$0.address, $0.length] }).count == 1)
        }
      }
      #expect(read == Set(readable.map(\.item)))
      learned.append(planner.learned)
    }
    #expect(learned.count < 50, "learning comes to an end")
    for block in planner.plan(items) where refused(block) {
      #expect(planner.part(block) == nil, "what was learned holds")
    }
  }

  @Test func blocksFillUpToTheLimit() {
    let blocks = ReadPlanner().plan(items((0..<300).map { ($0, 1) }))
    #expect(blocks.map(\.count) == [125, 125, 50])
  }

  @Test func gapsAreFilledUpToTheirBound() {
    let planner = ReadPlanner(limits: .init(registerGap: 10))
    #expect(planner.plan(items([(0, 2), (12, 1)])).map(\.count) == [13])
    #expect(planner.plan(items([(0, 2), (13, 1)])).map(\.count) == [2, 1])
  }

  @Test func aValueIsNeverTornOverTwoReads() {
    let blocks = ReadPlanner().plan(items([(0, 1)] + (0..<62).map { (1 + $0 * 2, 2) } + [(125, 2)]))
    #expect(blocks.map(\.count) == [125, 2])
  }

  @Test func theWidestGapIsPartedFirst() throws {
    var planner = ReadPlanner()
    let blocks = planner.plan(items([(0, 1), (5, 1), (40, 1), (44, 1)]))
    try #require(blocks.count == 1)
    #expect(planner.part(blocks[0])?.map(\.address) == [0, 40])
    #expect(planner.learned == 1)
  }
}
