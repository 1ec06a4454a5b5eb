/// The paths that are wanted from one topic's payloads, as one tree: pure data, built once for a session.
///
/// A path is keys between dots and element numbers in brackets, `climate.rooms[0].temperature`; the empty path is the
/// whole payload. Slot `n` belongs to the n-th path.
package struct PathTree: Sendable {
  struct Node: Sendable {
    var keys: [(name: [UInt8], node: Int)] = []
    var elements: [(index: Int, node: Int)] = []
    /// The slots whose path ends here.
    var slots: [Int] = []
    /// The slots whose path ends here or below.
    var subtree: [Int] = []
  }

  package struct Problem: Error, Equatable {
    package var message: String
  }

  package enum Step: Hashable {
    case key(String)
    case element(Int)
  }

  private(set) var nodes = [Node()]
  let slotCount: Int

  package init(_ paths: [String]) throws(Problem) {
    slotCount = paths.count
    for (slot, path) in paths.enumerated() {
      var node = 0
      nodes[0].subtree.append(slot)
      for step in try PathTree.steps(of: path) {
        node = child(of: node, step)
        nodes[node].subtree.append(slot)
      }
      nodes[node].slots.append(slot)
    }
  }

  private mutating func child(of node: Int, _ step: Step) -> Int {
    switch step {
    case .key(let key):
      let name = Array(key.utf8)
      if let known = nodes[node].keys.first(where: { $0.name == name }) { return known.node }
      nodes[node].keys.append((name, nodes.count))
    case .element(let index):
      if let known = nodes[node].elements.first(where: { $0.index == index }) { return known.node }
      nodes[node].elements.append((index, nodes.count))
    }
    nodes.append(Node())
    return nodes.count - 1
  }

  package static func steps(of path: String) throws(Problem) -> [Step] {
    var steps: [Step] = []
    guard !path.isEmpty else { return steps }
    for (index, part) in path.split(separator: ".", omittingEmptySubsequences: false).enumerated() {
      var rest = part
      let key = rest.prefix { $0 != "[" }
      if key.isEmpty, index > 0 || rest.isEmpty { throw Problem(message: "path '\(path)' has an empty key") }
      if !key.isEmpty { steps.append(.key(String(key))) }
      rest = rest.dropFirst(key.count)
      while !rest.isEmpty {
        guard rest.first == "[", let end = rest.firstIndex(of: "]"),
          let element = Int(rest[rest.index(after: rest.startIndex)..<end]), element >= 0
        else { throw Problem(message: "path '\(path)': expected an element number such as [0] at '\(rest)'") }
        steps.append(.element(element))
        rest = rest[rest.index(after: end)...]
      }
    }
    return steps
  }
}
