internal import Documents
package import Resources

/// The query parameters of a list, watch or deletecollection (meta/v1 ListOptions).
package struct ListParameters: Sendable {
  package enum Version: Sendable, Equatable {
    /// Absent or empty: the most recent state.
    case unset
    /// `0`: whatever is at hand.
    case any
    case at(UInt64)

    /// Reads `resourceVersion`; 400 for what is no number.
    package init(_ query: APIQuery) throws(APIStatus) {
      switch query["resourceVersion"] {
      case nil: self = .unset
      case "0": self = .any
      case let text?:
        guard let number = UInt64(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
          throw .badRequest("resourceVersion: Invalid value: \"\(text)\": must be a decimal number")
        }
        self = .at(number)
      }
    }
  }
  package var options: ListOptions
  package var version: Version
  /// Whether exactly that version is asked for, and not one at least as new.
  package var isExact: Bool
  package var isWatch: Bool
  package var allowsBookmarks: Bool
  /// Nil: as `version` implies.
  package var sendsInitialEvents: Bool?
  /// Seconds after which a watch ends, a day at most; nil, which 0 means too: the server's choice.
  package var timeoutSeconds: Int?

  /// - Parameter name: the object of a named path: the field selector is narrowed to it.
  package init(_ query: APIQuery, of definition: ResourceDefinition, namespace: String?, name: String? = nil)
    throws(APIStatus)
  {
    options = ListOptions(namespace: namespace)
    if let text = query["labelSelector"] { options.labelSelector = try LabelSelector(parsing: text) }
    if let text = query["fieldSelector"] {
      let selector = try FieldSelector(parsing: text)
      for requirement in selector.requirements where !definition.canSelect(field: requirement.path) {
        throw .badRequest("field label not supported: \(requirement.path)")
      }
      options.fieldSelector = selector
    }
    if let name {
      options.fieldSelector = FieldSelector(
        requirements: (options.fieldSelector?.requirements ?? []) + [
          .init(path: "metadata.name", value: name, isEqual: true)
        ])
    }
    let limit = try Self.number("limit", in: query)
    options.limit = limit == 0 ? nil : limit
    options.continueToken = query["continue"]
    let seconds = try Self.number("timeoutSeconds", in: query)
    timeoutSeconds = seconds == 0 ? nil : seconds.map { min($0, Self.maximumTimeout) }
    isWatch = query.flag("watch")
    allowsBookmarks = query.flag("allowWatchBookmarks")
    sendsInitialEvents = query.optionalFlag("sendInitialEvents")
    version = try Version(query)
    isExact = query["resourceVersionMatch"] == "Exact"
    try validate(match: query["resourceVersionMatch"])
  }

  /// A day, in seconds.
  private static let maximumTimeout = 86_400

  private static func number(_ name: String, in query: APIQuery) throws(APIStatus) -> Int? {
    guard let text = query[name] else { return nil }
    guard let value = Int(text), value >= 0 else {
      throw .badRequest("\(name): Invalid value: \"\(text)\": must be a whole number that is not negative")
    }
    return value
  }

  /// The rules of apimachinery's ValidateListOptions.
  private func validate(match: String?) throws(APIStatus) {
    func refuse(_ field: String, _ reason: String, _ message: String) -> APIStatus {
      .invalidOptions("ListOptions", field, reason, message)
    }
    if let match, match != "Exact", match != "NotOlderThan" {
      throw refuse(
        "resourceVersionMatch", "FieldValueNotSupported",
        "Unsupported value: \"\(match)\": supported values: \"Exact\", \"NotOlderThan\"")
    }
    if sendsInitialEvents != nil {
      guard isWatch else {
        throw refuse(
          "sendInitialEvents", "FieldValueForbidden", "Forbidden: sendInitialEvents is forbidden for list")
      }
      guard match == "NotOlderThan" else {
        throw refuse(
          "resourceVersionMatch", "FieldValueForbidden",
          "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
      }
      return
    }
    guard match != nil else {
      if options.continueToken != nil, case .at = version {
        throw .badRequest("specifying resource version is not allowed when using continue")
      }
      return
    }
    if isWatch {
      throw refuse(
        "resourceVersionMatch", "FieldValueForbidden",
        "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    }
    if version == .unset {
      throw refuse(
        "resourceVersionMatch", "FieldValueForbidden",
        "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
    }
    if isExact, version == .any {
      throw refuse(
        "resourceVersionMatch", "FieldValueForbidden",
        "Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"")
    }
    if options.continueToken != nil {
      throw refuse(
        "resourceVersionMatch", "FieldValueForbidden",
        "Forbidden: resourceVersionMatch is forbidden when continue is provided")
    }
  }
}

extension ResourceDefinition {
  /// Whether a field selector may name `field`: the name and namespace always, an Event's subject, and what the
  /// definition lists.
  package func canSelect(field: String) -> Bool {
    if field == "metadata.name" || field == "metadata.namespace" || selectableFields.contains(field) { return true }
    guard kind == "Event" else { return false }
    return field.hasPrefix("involvedObject.") || field.hasPrefix("regarding.")
      || ["reason", "type", "source", "reportingComponent", "reportingController"].contains(field)
  }
}
