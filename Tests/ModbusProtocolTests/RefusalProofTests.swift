import ModbusProtocol
import Testing

@Suite struct RefusalProofTests {
  private static let second: Int64 = 1_000_000_000
  private let items = [0, 1, 2, 3].map { ReadItem(item: $0, table: .holding, address: $0, length: 1) }

  /// Parts the first block that can be.
  private func learn(_ planner: inout ReadPlanner) {
    let known = planner.learned
    for block in planner.plan(items) where planner.learned == known { _ = planner.part(block) }
    #expect(planner.learned == known + 1)
  }

  @Test func whatIsRefusedBesideWhatIsReadIsProven() {
    var planner = ReadPlanner()
    var proof = RefusalProof(known: ReadRefusals(), longestPeriod: .seconds(10), start: 0)
    #expect(!proof.somethingWasRead(from: 1, to: Self.second, &planner), "nothing was learned")
    learn(&planner)
    // However long polls take, and whatever falls out between two.
    for _ in 1..<RefusalProof.fruitless { proof.nothingWasRead() }
    #expect(proof.somethingWasRead(from: 20 * Self.second, to: 90 * Self.second, &planner))
    #expect(planner.learned == 1 && proof.proven == planner.refusals)
    #expect(!proof.somethingWasRead(from: 91 * Self.second, to: 92 * Self.second, &planner), "it is proven already")
  }

  @Test func whatWasRefusedWhileNothingWasReadIsForgotten() {
    var planner = ReadPlanner()
    learn(&planner)
    var proof = RefusalProof(known: planner.refusals, longestPeriod: .seconds(10), start: 0)
    let known = planner.refusals
    #expect(!proof.somethingWasRead(from: 1, to: 2, &planner))
    learn(&planner)
    #expect(planner.learned == 2)
    for _ in 0..<RefusalProof.fruitless { proof.nothingWasRead() }
    #expect(!proof.somethingWasRead(from: 20 * Self.second + 3, to: 21 * Self.second, &planner))
    #expect(planner.refusals == known, "what was known before holds")
    learn(&planner)
    #expect(proof.somethingWasRead(from: 22 * Self.second, to: 23 * Self.second, &planner), "and now it counts")
    proof.forget(&planner)
    #expect(planner.learned == 0 && proof.proven == ReadRefusals())
  }
}
