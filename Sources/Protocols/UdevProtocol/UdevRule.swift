internal import Documents

/// One rule: comparisons that must all hold. The grammar is that of udev(7), cut down to `==` and `!=`.
package struct UdevRule: Sendable, Hashable {
  package enum Field: Sendable, Hashable {
    case kernel, subsystem, driver, devpath, tag
    case attribute(String), environment(String)
    case kernels, subsystems, drivers, tags
    case attributes(String)

    /// Whether it may be held by the device or an ancestor; all such of one rule must be held by the same one.
    var isOfAncestor: Bool {
      switch self {
      case .kernels, .subsystems, .drivers, .tags, .attributes: true
      default: false
      }
    }
  }

  package struct Comparison: Sendable, Hashable {
    var field: Field
    var isEqual: Bool
    var pattern: String
    var glob: Glob
  }

  package let comparisons: [Comparison]

  package func matches(_ node: some UdevNode) -> Bool {
    let (ofAncestor, ofDevice) = (
      comparisons.filter(\.field.isOfAncestor), comparisons.filter { !$0.field.isOfAncestor }
    )
    guard ofDevice.allSatisfy({ $0.holds(for: node) }) else { return false }
    return ofAncestor.isEmpty || node.lineage.contains { ancestor in ofAncestor.allSatisfy { $0.holds(for: ancestor) } }
  }

  /// Patterns one of which the subsystem of every matching device matches; nil where it may have any.
  var subsystems: [String]? {
    comparisons.first { $0.field == .subsystem && $0.isEqual }.map {
      $0.pattern.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }
  }
}

extension UdevRule.Comparison {
  /// Whether it holds for this very device. An attribute that is not there satisfies neither operator; any other
  /// thing that is not there counts as empty (udev(7)).
  func holds(for node: some UdevNode) -> Bool {
    let value: String
    switch field {
    case .kernel, .kernels: value = node.kernel
    case .subsystem, .subsystems: value = node.subsystem
    case .driver, .drivers: value = node.driver
    case .devpath: value = node.devpath
    case .environment(let name): value = node.environment(name) ?? ""
    case .tag, .tags: return node.tags.contains { glob.matches($0) } == isEqual
    case .attribute(let name), .attributes(let name):
      guard let found = node.attribute(name) else { return false }
      value = found
    }
    return glob.matches(value) == isEqual
  }
}
