import DeviceKit

extension SplitMix64 {
  mutating func pick<Element>(_ from: [Element]) -> Element { from[Int.random(in: 0..<from.count, using: &self)] }
  /// True once in `count` times.
  mutating func once(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }
  mutating func upTo(_ limit: Int) -> Int { Int.random(in: 0...limit, using: &self) }
}
