internal import Documents

/// Builds one document's value from its events: anchors, aliases and merge keys resolved; of a key that occurs twice the
/// last value counts, and the key is noted.
struct DocumentComposer {
  /// Nodes that the aliases of one document may add up to: what a chain of aliases can cost is bounded.
  static let maximumExpansion = 100_000
  static let maximumDepth = 100

  private struct Anchored {
    var value: JSONValue
    var nodes: Int
  }
  private let reader: EventReader
  private var anchors: [String: Anchored] = [:]
  private var expanded = 0
  private var path: [String] = []
  /// Where the document's content begins.
  private(set) var line = 1
  private(set) var duplicates: [YAMLDocument.Duplicate] = []

  init(_ reader: EventReader) { self.reader = reader }

  /// The document's value; consumes up to and including its end.
  mutating func compose() throws(YAMLError) -> JSONValue {
    let first = try reader.next()
    line = first.line
    let (value, _) = try node(first, depth: 0)
    _ = try reader.next()
    return value
  }

  private mutating func node(_ event: YAMLEvent, depth: Int) throws(YAMLError) -> (JSONValue, nodes: Int) {
    guard depth < Self.maximumDepth else { throw event.error("nested deeper than \(Self.maximumDepth)") }
    let value: JSONValue
    var nodes = 1
    let name: String?
    switch event.content {
    case .scalar(let text, let anchor, let tag, let isPlain):
      value = try scalar(text, tag: tag, isPlain: isPlain, event)
      name = anchor
    case .alias(let anchor):
      guard let known = anchors[anchor] else { throw event.error("alias *\(anchor) names no anchor before it") }
      expanded += known.nodes
      guard expanded <= Self.maximumExpansion else {
        throw event.error("aliases expand to more than \(Self.maximumExpansion) values")
      }
      return (known.value, known.nodes)
    case .sequenceStart(let anchor, let tag):
      try check(tag, is: "seq", event)
      var elements: [JSONValue] = []
      while true {
        let next = try reader.next()
        if case .sequenceEnd = next.content { break }
        path.append("[\(elements.count)]")
        let (element, count) = try node(next, depth: depth + 1)
        path.removeLast()
        elements.append(element)
        nodes += count
      }
      value = .array(elements)
      name = anchor
    case .mappingStart(let anchor, let tag):
      try check(tag, is: "map", event)
      value = .object(try mapping(depth: depth, &nodes))
      name = anchor
    default: throw event.error("expected a value")
    }
    if let name { anchors[name] = Anchored(value: value, nodes: nodes) }
    return (value, nodes)
  }

  private mutating func mapping(depth: Int, _ nodes: inout Int) throws(YAMLError) -> [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    var merged: [String: JSONValue] = [:]
    while true {
      let keyEvent = try reader.next()
      if case .mappingEnd = keyEvent.content { break }
      let isMerge = if case .scalar("<<", _, nil, true) = keyEvent.content { true } else { false }
      let (keyValue, _) = try node(keyEvent, depth: depth + 1)
      let valueEvent = try reader.next()
      path.append(keyValue.string ?? keyValue.description)
      let (value, count) = try node(valueEvent, depth: depth + 1)
      let place = path
      path.removeLast()
      nodes += count + 1
      if isMerge {
        try merge(value, into: &merged, valueEvent)
        continue
      }
      let key = try text(ofKey: keyValue, keyEvent)
      if members.updateValue(value, forKey: key) != nil {
        duplicates.append(YAMLDocument.Duplicate(path: place, key: key, line: keyEvent.line, column: keyEvent.column))
      }
    }
    return members.merging(merged) { own, _ in own }
  }

  /// YAML's merge key (yaml.org/type/merge.html): the mapping's own keys win, then the earlier of a list.
  private func merge(_ value: JSONValue, into merged: inout [String: JSONValue], _ event: YAMLEvent) throws(YAMLError) {
    switch value {
    case .object(let members): merged.merge(members) { first, _ in first }
    case .array(let mappings):
      for mapping in mappings {
        guard case .object(let members) = mapping else { throw event.error("'<<' takes mappings only") }
        merged.merge(members) { first, _ in first }
      }
    default: throw event.error("'<<' takes a mapping or a list of mappings")
    }
  }

  private func text(ofKey key: JSONValue, _ event: YAMLEvent) throws(YAMLError) -> String {
    switch key {
    case .string(let text): return text
    case .bool, .integer, .unsigned, .double: return key.description
    default: throw event.error("a key must be a string")
    }
  }

  private func check(_ tag: String?, is kind: String, _ event: YAMLEvent) throws(YAMLError) {
    guard let tag, tag != "!", tag != "tag:yaml.org,2002:\(kind)" else { return }
    throw event.error("tag \(tag) is not supported here")
  }

  private func scalar(_ text: String, tag: String?, isPlain: Bool, _ event: YAMLEvent) throws(YAMLError) -> JSONValue {
    let core = "tag:yaml.org,2002:"
    guard let tag else {
      guard isPlain else { return .string(text) }
      guard let value = PlainScalar.value(of: text) else {
        throw event.error("\(text) is no number that JSON can carry; quote it if text is meant")
      }
      return value
    }
    let plain = PlainScalar.value(of: text)
    switch tag {
    case "!", core + "str", core + "timestamp": return .string(text)
    case core + "null" where plain == .null: return .null
    case core + "bool": if case .bool? = plain { return plain! }
    case core + "int":
      switch plain {
      case .integer?, .unsigned?: return plain!
      default: break
      }
    case core + "float": if let number = plain?.number { return .double(number) }
    default: throw event.error("tag \(tag) is not supported")
    }
    throw event.error("\"\(text)\" does not fit its tag \(tag)")
  }
}
