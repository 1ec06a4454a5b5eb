/// Looks definitions up in ``SunSpecText``.
package enum SunSpecTable {
  /// Nil for a model that is not served, among them makers' own from 64000 up.
  package static func definition(of id: UInt16) -> SunSpecDefinition? {
    let head = "\(id):"
    for text in SunSpecText.all {
      var lines = SunSpecLines(text)
      while let line = lines.next() {
        guard line.first == "@" else { continue }
        let words = line.dropFirst().split(separator: " ")
        guard let own = words.first(where: { $0.hasPrefix(head) }), let period = words.last,
          let body = SunSpecGroup(name: "", count: .fixed(1), &lines)
        else { continue }
        return SunSpecDefinition(
          id: id, word: String(own.dropFirst(head.count)), period: String(period), body: body)
      }
    }
    return nil
  }

  /// The IDs that ``definition(of:)`` knows, in ascending order.
  package static var ids: [UInt16] {
    var ids: [UInt16] = []
    for text in SunSpecText.all {
      var lines = SunSpecLines(text)
      while let line = lines.next() {
        guard line.first == "@" else { continue }
        ids += line.dropFirst().split(separator: " ").compactMap { word in
          word.split(separator: ":").first.flatMap { word.contains(":") ? UInt16($0) : nil }
        }
      }
    }
    return ids.sorted()
  }
}

/// The table's lines, one by one, with a look at the one to come.
struct SunSpecLines {
  private var rest: Substring
  init(_ text: String) { rest = text[...] }

  var peek: Substring? {
    // Bytes: by characters, a whole look-up would take milliseconds.
    rest.isEmpty ? nil : rest[..<(rest.utf8.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex)]
  }

  mutating func next() -> Substring? {
    guard let line = peek else { return nil }
    rest = rest[line.endIndex...].dropFirst()
    return line
  }
}

extension SunSpecGroup {
  /// Reads the lines up to the end of the group, or to that of its model; nil where one makes no sense.
  init?(name: String, count: Count, _ lines: inout SunSpecLines) {
    self.init(name: name, count: count)
    while let line = lines.peek, line.first != "@" {
      _ = lines.next()
      switch line.first {
      case "<": return
      case ">":
        let words = line.dropFirst().split(separator: " ")
        guard let name = words.first, let group = SunSpecGroup(name: String(name), count: Count(words), &lines) else {
          return nil
        }
        groups.append(group)
      case "~":
        let words = line.dropFirst().split(separator: " ", maxSplits: 1)
        guard words.count == 2, let times = Int(words[0]) else { return nil }
        let templates = words[1].split(separator: ";").map { $0.split(separator: " ") }
        for number in 1...max(times, 1) {
          for template in templates {
            guard let point = SunSpecPoint(template, number: number) else { return nil }
            points.append(point)
          }
        }
      default:
        guard let point = SunSpecPoint(line.split(separator: " "), number: nil) else { return nil }
        points.append(point)
      }
    }
  }
}

extension SunSpecGroup.Count {
  fileprivate init(_ words: [Substring]) {
    guard words.count == 2 else {
      self = .fill
      return
    }
    self = Int(words[1]).map(Self.fixed) ?? .point(String(words[1]))
  }
}

extension SunSpecPoint {
  /// `number` takes the place of `#` in the names.
  fileprivate init?(_ words: [Substring], number: Int?) {
    func numbered(_ word: Substring) -> String {
      guard let number, word.last == "#" else { return String(word) }
      return String(word.dropLast()) + "\(number)"
    }
    guard words.count >= 2 else { return nil }
    let word = words[1].prefix { !$0.isNumber }
    let size = Int(words[1].dropFirst(word.count))
    let known = SunSpecType(rawValue: String(words[1])) ?? SunSpecType(rawValue: String(word))
    guard let known, let registers = known.registers ?? size ?? (known == .pad ? 1 : nil) else { return nil }
    self.init(name: numbered(words[0]), type: known, registers: registers)
    for word in words.dropFirst(2) {
      switch word.first {
      case "*": scale = Int(word.dropFirst()).map(Scale.power) ?? .point(numbered(word.dropFirst()))
      case "!": isWritable = true
      case "=": isStatic = true
      case "^": isSummary = true
      case "{":
        for entry in word.dropFirst().dropLast().split(separator: ",") {
          let parts = entry.split(separator: ":")
          guard parts.count == 2, let value = Int(parts[0]) else { return nil }
          symbols.append(Symbol(value: value, name: String(parts[1])))
        }
      default: unit = String(word)
      }
    }
  }
}
