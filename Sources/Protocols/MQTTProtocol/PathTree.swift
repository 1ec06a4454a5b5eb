/// The paths that are wanted from one topic's payloads, as one tree: pure data, built once for a session.
///
/// A path is keys between dots and element numbers in brackets, `climate.rooms[0].temperature`; the empty path is the
/// whole payload. Slot `n` belongs to the n-th path.
package final class PathTree: Sendable {
  /// A place in the payload. Its children, and the slots at and below it, are ranges of the tree's columns.
  struct Node: Sendable {
    var keys: Range<Int> = 0..<0
    var elements: Range<Int> = 0..<0
    /// In ``PathTree/slots``: those whose path ends here.
    var slots: Range<Int> = 0..<0
    /// In ``PathTree/slots``: those whose path ends here or below.
    var subtree: Range<Int> = 0..<0
  }

  /// A key of a node: its name is a range of ``PathTree/names``.
  struct Key: Sendable {
    var name: Range<Int>
    var node: Int
  }

  struct Element: Sendable {
    var index: Int
    var node: Int
  }

  package struct Problem: Error, Equatable {
    package var message: String
  }

  package enum Step: Hashable {
    case key(String)
    case element(Int)
  }

  private let nodes: [Node]
  private let keys: [Key]
  private let elements: [Element]
  /// Slot numbers, those of each node side by side.
  private let slots: [Int]
  /// The keys' names in UTF-8, one after the other.
  private let names: [UInt8]
  let slotCount: Int

  /// The tree's columns for as long as a payload is read: looking at them touches no reference count. The first node is
  /// the root.
  struct Columns {
    let nodes: UnsafeBufferPointer<Node>
    let keys: UnsafeBufferPointer<Key>
    let elements: UnsafeBufferPointer<Element>
    let slots: UnsafeBufferPointer<Int>
    let names: UnsafeBufferPointer<UInt8>
  }

  func withColumns<Result>(_ body: (Columns) -> Result) -> Result {
    nodes.withUnsafeBufferPointer { nodes in
      keys.withUnsafeBufferPointer { keys in
        elements.withUnsafeBufferPointer { elements in
          slots.withUnsafeBufferPointer { slots in
            names.withUnsafeBufferPointer { names in
              body(Columns(nodes: nodes, keys: keys, elements: elements, slots: slots, names: names))
            }
          }
        }
      }
    }
  }

  package init(_ paths: [String]) throws(Problem) {
    slotCount = paths.count
    var branches = [Branch()]
    for (slot, path) in paths.enumerated() {
      var branch = 0
      branches[0].subtree.append(slot)
      for step in try PathTree.steps(of: path) {
        if let known = branches[branch].children.first(where: { $0.step == step }) {
          branch = known.branch
        } else {
          branches[branch].children.append((step, branches.count))
          branch = branches.count
          branches.append(Branch())
        }
        branches[branch].subtree.append(slot)
      }
      branches[branch].slots.append(slot)
    }
    var layout = Layout()
    for branch in branches { layout.lay(branch) }
    (nodes, keys, elements) = (layout.nodes, layout.keys, layout.elements)
    (slots, names) = (layout.slots, layout.names)
  }

  /// A node while the tree grows.
  private struct Branch {
    var children: [(step: Step, branch: Int)] = []
    var slots: [Int] = []
    var subtree: [Int] = []
  }

  private struct Layout {
    var nodes: [Node] = []
    var keys: [Key] = []
    var elements: [Element] = []
    var slots: [Int] = []
    var names: [UInt8] = []

    mutating func lay(_ branch: Branch) {
      var node = Node()
      let (firstKey, firstElement) = (keys.count, elements.count)
      for (step, child) in branch.children {
        switch step {
        case .key(let key):
          let start = names.count
          names.append(contentsOf: key.utf8)
          keys.append(Key(name: start..<names.count, node: child))
        case .element(let index): elements.append(Element(index: index, node: child))
        }
      }
      node.keys = firstKey..<keys.count
      node.elements = firstElement..<elements.count
      node.slots = slots.count..<slots.count + branch.slots.count
      slots += branch.slots
      node.subtree = slots.count..<slots.count + branch.subtree.count
      slots += branch.subtree
      nodes.append(node)
    }
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
