public import DeviceKit

/// Which properties of a model wait for which others, and which are written together: `write.after` and `write.group`.
public enum WriteOrder {
  /// Why the order cannot be kept: a name that the model lacks, or properties that wait for each other in a circle.
  /// Members of a group count as one, since they are written together. Nil: it can.
  public static func fault(in properties: [(name: String, rules: WriteRules)]) -> DeviceError? {
    let names = Set(properties.map(\.name))
    var edges: [String: [(to: String, from: String)]] = [:]
    func node(_ property: (name: String, rules: WriteRules)) -> String {
      property.rules.group.map { "group \($0)" } ?? property.name
    }
    let nodes = Dictionary(properties.map { ($0.name, node($0)) }, uniquingKeysWith: { first, _ in first })
    for property in properties {
      for name in property.rules.after {
        guard names.contains(name), let target = nodes[name] else {
          return DeviceError(
            reason: "UnknownDependency",
            message: "property \(property.name): write.after names \(name), which the model does not have",
            isPermanent: true)
        }
        edges[node(property), default: []].append((target, property.name))
      }
    }
    guard let cycle = cycle(edges) else { return nil }
    return DeviceError(
      reason: "DependencyCycle",
      message: "write.after goes in a circle: \((cycle + [cycle[0]]).joined(separator: " waits for "))",
      isPermanent: true)
  }

  /// The first circle found, each node once.
  private static func cycle(_ edges: [String: [(to: String, from: String)]]) -> [String]? {
    var finished: Set<String> = []
    for start in edges.keys.sorted() where !finished.contains(start) {
      // Depth first without recursion: the path, and how many edges of each node on it were followed.
      var path = [start]
      var followed = [0]
      while let node = path.last, let count = followed.last {
        let targets = edges[node] ?? []
        guard count < targets.count else {
          finished.insert(node)
          path.removeLast()
          followed.removeLast()
          continue
        }
        followed[followed.count - 1] += 1
        let target = targets[count].to
        if let place = path.firstIndex(of: target) { return Array(path[place...]) }
        guard !finished.contains(target) else { continue }
        path.append(target)
        followed.append(0)
      }
    }
    return nil
  }
}

/// The order of writes among one twin's properties, by index.
struct TwinWriteOrder {
  struct Terms {
    var after: [Int] = []
    /// Index into ``groups``.
    var group: Int?
  }
  struct Group {
    var name: String
    /// In the model's order.
    var members: [Int] = []
  }
  /// In the model's order.
  private(set) var gated: [(property: Int, terms: Terms)] = []
  private(set) var groups: [Group] = []

  var isEmpty: Bool { gated.isEmpty }

  init() {}

  init(_ properties: [(index: Int, rules: WriteRules)], indexes: [String: Int]) {
    var places: [String: Int] = [:]
    for (index, rules) in properties where !rules.after.isEmpty || rules.group != nil {
      var terms = Terms(after: rules.after.compactMap { indexes[$0] })
      if let name = rules.group {
        let place = places[name] ?? groups.count
        places[name] = place
        if place == groups.count { groups.append(Group(name: name)) }
        groups[place].members.append(index)
        terms.group = place
      }
      gated.append((index, terms))
    }
  }
}
