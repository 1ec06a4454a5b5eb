internal import Documents
internal import Resources

/// The two forms of one event: `v1` of the core group, in which it is kept, and `events.k8s.io/v1`.
enum EventForm {
  static let stored = BuiltInKinds.events
  static let served = BuiltInKinds.eventsGroup

  private static let toStored = Dictionary(
    uniqueKeysWithValues: BuiltInKinds.eventNames.map { ($0.served, $0.stored) })
  private static let toServed = Dictionary(
    uniqueKeysWithValues: BuiltInKinds.eventNames.map { ($0.stored, $0.served) })

  static func served(_ event: JSONValue) -> JSONValue { renamed(event, toServed, served.apiVersion) }

  /// What a body, a merge patch or an applied configuration in the served form stands for.
  static func stored(_ event: JSONValue) -> JSONValue { renamed(event, toStored, stored.apiVersion) }

  /// A bookmark or error event keeps its object's kind.
  static func served(_ event: WatchEvent) -> WatchEvent {
    WatchEvent(
      change: event.change, object: event.change == .error ? event.object : served(event.object),
      resourceVersion: event.resourceVersion)
  }

  static func stored(_ options: ListOptions) -> ListOptions {
    var options = options
    options.fieldSelector = options.fieldSelector.map { selector in
      FieldSelector(
        requirements: selector.requirements.map { requirement in
          var requirement = requirement
          var parts = requirement.path.split(separator: ".").map(String.init)
          if let first = parts.first, let name = toStored[first] { parts[0] = name }
          requirement.path = parts.joined(separator: ".")
          return requirement
        })
    }
    return options
  }

  private static func renamed(_ event: JSONValue, _ names: [String: String], _ apiVersion: String) -> JSONValue {
    guard let members = event.object else { return event }
    var renamed: [String: JSONValue] = [:]
    for (name, value) in members { renamed[names[name] ?? name] = value }
    if let given = renamed["apiVersion"]?.string, given == stored.apiVersion || given == served.apiVersion {
      renamed["apiVersion"] = .string(apiVersion)
    }
    return .object(renamed)
  }
}
