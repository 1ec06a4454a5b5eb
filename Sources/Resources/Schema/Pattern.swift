/// A regular expression of a schema's `pattern`: searched for anywhere in a text unless anchored, as RE2 does.
///
/// Serves literals, `.`, classes (`[a-z]`, `[^/]`, `\d \w \s \D \W \S`), groups, alternation, `? * + {m} {m,} {m,n}`, and the
/// anchors `^` and `$`. Matching takes time linear in the text: all ways are followed at once, none is tried again.
struct Pattern: Sendable {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }
  struct CharacterSet: Sendable, Equatable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false
    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }
  }
  enum Instruction: Sendable {
    case take(CharacterSet)
    /// Goes on at both places.
    case split(Int, Int)
    case jump(Int)
    case atStart
    case atEnd
    case found
  }

  let text: String
  private let program: [Instruction]

  /// Compiles `text`; throws what is not served and what is malformed.
  init(_ text: String) throws(Failure) {
    self.text = text
    var compiler = PatternCompiler(text)
    program = try compiler.compile()
  }

  /// Whether the pattern occurs in `subject`.
  func matches(_ subject: String) -> Bool {
    let scalars = subject.unicodeScalars.map(\.value)
    var states = StateSet(program.count)
    var next = StateSet(program.count)
    for position in 0...scalars.count {
      follow(0, at: position, of: scalars.count, into: &states)
      var index = 0
      next.removeAll()
      while index < states.list.count {
        switch program[states.list[index]] {
        case .found: return true
        case .take(let set):
          if position < scalars.count, set.contains(scalars[position]) {
            follow(states.list[index] + 1, at: position + 1, of: scalars.count, into: &next)
          }
        default: break
        }
        index += 1
      }
      swap(&states, &next)
    }
    return false
  }

  private struct StateSet {
    var list: [Int] = []
    private var isIn: [Bool]
    init(_ count: Int) { isIn = Array(repeating: false, count: count) }
    mutating func insert(_ state: Int) -> Bool {
      guard !isIn[state] else { return false }
      isIn[state] = true
      list.append(state)
      return true
    }
    mutating func removeAll() {
      for state in list { isIn[state] = false }
      list.removeAll(keepingCapacity: true)
    }
  }

  /// Adds the state and all that it reaches without taking a character.
  private func follow(_ start: Int, at position: Int, of count: Int, into states: inout StateSet) {
    var pending = [start]
    while let state = pending.popLast() {
      guard states.insert(state) else { continue }
      switch program[state] {
      case .split(let first, let second): pending += [second, first]
      case .jump(let target): pending.append(target)
      case .atStart: if position == 0 { pending.append(state + 1) }
      case .atEnd: if position == count { pending.append(state + 1) }
      case .take, .found: break
      }
    }
  }
}
