internal import Documents

/// One step of a path in FieldsV1 (structured-merge-diff, fieldpath).
enum FieldPathElement: Hashable {
  case field(String)
  /// An item of an associative list by its keys.
  case key(JSONValue)
  /// An item of a set.
  case value(JSONValue)
  case index(Int)

  /// As managedFields write it: `f:name`, `k:{"type":"Ready"}`, `v:"x"`, `i:0`.
  var text: String {
    switch self {
    case .field(let name): "f:\(name)"
    case .key(let keys): "k:\(keys)"
    case .value(let value): "v:\(value)"
    case .index(let index): "i:\(index)"
    }
  }

  init?(_ text: String) {
    let rest = text.dropFirst(2)
    switch text.prefix(2) {
    case "f:": self = .field(String(rest))
    case "k:":
      guard let keys = try? JSONValue(parsing: rest) else { return nil }
      self = .key(keys)
    case "v:":
      guard let value = try? JSONValue(parsing: rest) else { return nil }
      self = .value(value)
    case "i:":
      guard let index = Int(rest) else { return nil }
      self = .index(index)
    default: return nil
    }
  }

  /// As messages show it: `.name`, `[type="Ready"]`, `[="x"]`, `[0]`.
  var shown: String {
    switch self {
    case .field(let name): return ".\(name)"
    case .key(let keys):
      let pairs = (keys.object ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      return "[\(pairs.joined(separator: ","))]"
    case .value(let value): return "[=\(value)]"
    case .index(let index): return "[\(index)]"
    }
  }
}

/// A set of field paths, as a tree.
struct FieldSet: Hashable {
  private(set) var members: Set<FieldPathElement> = []
  private(set) var children: [FieldPathElement: FieldSet] = [:]

  var isEmpty: Bool { members.isEmpty && children.isEmpty }

  mutating func insert(_ element: FieldPathElement) { members.insert(element) }

  mutating func insert(_ set: FieldSet, under element: FieldPathElement) {
    guard !set.isEmpty else { return }
    children[element] = children[element]?.union(set) ?? set
  }

  mutating func insert(_ path: [FieldPathElement]) { insert(path[...]) }

  private mutating func insert(_ path: ArraySlice<FieldPathElement>) {
    guard let first = path.first else { return }
    if path.count == 1 {
      members.insert(first)
    } else {
      children[first, default: FieldSet()].insert(path.dropFirst())
    }
  }

  func union(_ other: FieldSet) -> FieldSet {
    var result = self
    result.members.formUnion(other.members)
    for (element, set) in other.children { result.insert(set, under: element) }
    return result
  }

  func subtracting(_ other: FieldSet) -> FieldSet {
    var result = FieldSet()
    result.members = members.subtracting(other.members)
    for (element, set) in children {
      result.insert(other.children[element].map { set.subtracting($0) } ?? set, under: element)
    }
    return result
  }

  func intersection(_ other: FieldSet) -> FieldSet {
    var result = FieldSet()
    result.members = members.intersection(other.members)
    for (element, set) in children {
      if let twin = other.children[element] { result.insert(set.intersection(twin), under: element) }
    }
    return result
  }

  /// Every path, in the order of their texts.
  var paths: [[FieldPathElement]] {
    var paths: [[FieldPathElement]] = []
    for element in Set(members).union(children.keys).sorted(by: { $0.text < $1.text }) {
      if members.contains(element) { paths.append([element]) }
      for path in children[element]?.paths ?? [] { paths.append([element] + path) }
    }
    return paths
  }

  /// As `fieldsV1`.
  var json: JSONValue {
    var json: [String: JSONValue] = [:]
    for element in members { json[element.text] = [:] }
    for (element, set) in children {
      var child = set.json
      if members.contains(element) { child["."] = [:] }
      json[element.text] = child
    }
    return .object(json)
  }

  init() {}

  /// Reads `fieldsV1`; what is no path is left out.
  init(_ json: JSONValue) {
    for (text, child) in json.object ?? [:] where text != "." {
      guard let element = FieldPathElement(text) else { continue }
      let set = FieldSet(child)
      if set.isEmpty || child["."] != nil { members.insert(element) }
      insert(set, under: element)
    }
  }
}
