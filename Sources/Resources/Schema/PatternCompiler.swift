/// Turns a pattern's text into ``Pattern``'s instructions by recursive descent.
struct PatternCompiler {
  private typealias Instruction = Pattern.Instruction
  private typealias CharacterSet = Pattern.CharacterSet

  private indirect enum Node {
    case set(CharacterSet)
    case start
    case end
    case sequence([Node])
    case choice([Node])
    case `repeat`(Node, minimum: Int, maximum: Int?)
  }
  private static let maximumProgram = 20_000
  private static let maximumDepth = 50

  private let text: String
  private let scalars: [UnicodeScalar]
  private var position = 0
  private var depth = 0
  private var program: [Instruction] = []

  init(_ text: String) {
    self.text = text
    scalars = Array(text.unicodeScalars)
  }

  mutating func compile() throws(Pattern.Failure) -> [Pattern.Instruction] {
    let node = try choice()
    guard position == scalars.count else { throw failure("unmatched ')'") }
    try emit(node)
    program.append(.found)
    return program
  }

  private func failure(_ message: String) -> Pattern.Failure {
    Pattern.Failure(description: "\(message) at character \(position + 1) of the pattern \(text)")
  }

  private var current: UnicodeScalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ scalar: UnicodeScalar) -> Bool {
    guard current == scalar else { return false }
    position += 1
    return true
  }

  private mutating func choice() throws(Pattern.Failure) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("groups nested too deep") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(Pattern.Failure) -> Node {
    var parts: [Node] = []
    while let scalar = current, scalar != "|", scalar != ")" { parts.append(try repetition(try atom())) }
    return .sequence(parts)
  }

  private mutating func atom() throws(Pattern.Failure) -> Node {
    let scalar = scalars[position]
    position += 1
    switch scalar {
    case "^": return .start
    case "$": return .end
    case ".": return .set(CharacterSet(ranges: [10...10], isNegated: true))
    case "[": return .set(try bracket())
    case "\\": return .set(try escape())
    case "(":
      if take("?") { guard take(":") else { throw failure("only (?: ) is served of the groups with '?'") } }
      let inner = try choice()
      guard take(")") else { throw failure("missing ')'") }
      return inner
    case "*", "+", "?": throw failure("nothing to repeat")
    default: return .set(CharacterSet(ranges: [scalar.value...scalar.value]))
    }
  }

  private mutating func repetition(_ node: Node) throws(Pattern.Failure) -> Node {
    var node = node
    while let scalar = current {
      switch scalar {
      case "*": (node, position) = (.repeat(node, minimum: 0, maximum: nil), position + 1)
      case "+": (node, position) = (.repeat(node, minimum: 1, maximum: nil), position + 1)
      case "?": (node, position) = (.repeat(node, minimum: 0, maximum: 1), position + 1)
      case "{":
        position += 1
        guard let minimum = number() else { throw failure("expected a count") }
        var maximum: Int? = minimum
        if take(",") { maximum = number() }
        guard take("}") else { throw failure("missing '}'") }
        guard minimum <= 1_000, maximum ?? 0 <= 1_000, maximum ?? minimum >= minimum else {
          throw failure("bad repeat count")
        }
        node = .repeat(node, minimum: minimum, maximum: maximum)
      default: return node
      }
      _ = take("?")  // greed does not change whether there is a match
    }
    return node
  }

  private mutating func number() -> Int? {
    let start = position
    while let scalar = current, ("0"..."9").contains(scalar), position - start < 5 { position += 1 }
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars[start..<position])
    return Int(text)
  }

  private mutating func escape() throws(Pattern.Failure) -> CharacterSet {
    guard let scalar = current else { throw failure("trailing '\\'") }
    position += 1
    let digits: [ClosedRange<UInt32>] = [0x30...0x39]
    let words: [ClosedRange<UInt32>] = [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A]
    let blanks: [ClosedRange<UInt32>] = [9...10, 12...13, 32...32]
    switch scalar {
    case "d": return CharacterSet(ranges: digits)
    case "D": return CharacterSet(ranges: digits, isNegated: true)
    case "w": return CharacterSet(ranges: words)
    case "W": return CharacterSet(ranges: words, isNegated: true)
    case "s": return CharacterSet(ranges: blanks)
    case "S": return CharacterSet(ranges: blanks, isNegated: true)
    case "n": return CharacterSet(ranges: [10...10])
    case "r": return CharacterSet(ranges: [13...13])
    case "t": return CharacterSet(ranges: [9...9])
    case "a"..."z", "A"..."Z", "0"..."9": throw failure("\\\(scalar) is not served")
    default: return CharacterSet(ranges: [scalar.value...scalar.value])
    }
  }

  /// What stands between `[` and `]`.
  private mutating func bracket() throws(Pattern.Failure) -> CharacterSet {
    var set = CharacterSet(isNegated: take("^"))
    var isFirst = true
    while true {
      guard let scalar = current else { throw failure("missing ']'") }
      position += 1
      if scalar == "]", !isFirst { return set }
      isFirst = false
      var low = scalar.value
      if scalar == "\\" {
        let escaped = try escape()
        guard !escaped.isNegated else { throw failure("a negated class inside [] is not served") }
        guard escaped.ranges.count == 1, escaped.ranges[0].count == 1 else {
          set.ranges += escaped.ranges
          continue
        }
        low = escaped.ranges[0].lowerBound
      }
      guard current == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
        set.ranges.append(low...low)
        continue
      }
      position += 1
      var high = scalars[position].value
      position += 1
      if scalars[position - 1] == "\\" {
        let escaped = try escape()
        guard escaped.ranges.count == 1, escaped.ranges[0].count == 1 else { throw failure("bad range") }
        high = escaped.ranges[0].lowerBound
      }
      guard low <= high else { throw failure("range out of order") }
      set.ranges.append(low...high)
    }
  }

  private mutating func emit(_ node: Node) throws(Pattern.Failure) {
    guard program.count < Self.maximumProgram else { throw failure("pattern too large") }
    switch node {
    case .set(let set): program.append(.take(set))
    case .start: program.append(.atStart)
    case .end: program.append(.atEnd)
    case .sequence(let parts): for part in parts { try emit(part) }
    case .choice(let branches):
      var exits: [Int] = []
      for (index, branch) in branches.enumerated() {
        guard index < branches.count - 1 else {
          try emit(branch)
          break
        }
        let split = program.count
        program.append(.found)
        try emit(branch)
        exits.append(program.count)
        program.append(.found)
        program[split] = .split(split + 1, program.count)
      }
      for exit in exits { program[exit] = .jump(program.count) }
    case .repeat(let inner, let minimum, let maximum):
      for _ in 0..<minimum { try emit(inner) }
      guard let maximum else {
        let split = program.count
        program.append(.found)
        try emit(inner)
        program.append(.jump(split))
        program[split] = .split(split + 1, program.count)
        return
      }
      var splits: [Int] = []
      for _ in minimum..<max(maximum, minimum) {
        splits.append(program.count)
        program.append(.found)
        try emit(inner)
      }
      for split in splits { program[split] = .split(split + 1, program.count) }
    }
  }
}
