package import Documents
package import Resources

/// The query parameters of create, update and patch (meta/v1 CreateOptions, UpdateOptions, PatchOptions).
package enum WriteParameters {
  /// - Parameters:
  ///   - kind: `CreateOptions`, `UpdateOptions` or `PatchOptions`, for messages.
  ///   - isApply: server-side apply, which must name its manager; elsewhere the User-Agent up to the first `/` counts.
  package static func read(_ call: APICall, kind: String, isApply: Bool = false) throws(APIStatus) -> WriteOptions {
    var options = WriteOptions(isDryRun: try isDryRun(call.query.all("dryRun"), kind: kind))
    if call.user != .local { options.user = call.user.name }
    if let text = call.query["fieldValidation"] {
      guard let validation = WriteOptions.FieldValidation(rawValue: text) else {
        throw .invalidOptions(
          kind, "fieldValidation", "FieldValueNotSupported",
          "Unsupported value: \"\(text)\": supported values: \"Ignore\", \"Strict\", \"Warn\"")
      }
      options.fieldValidation = validation
    }
    let named = call.query["fieldManager"]
    if named == nil, isApply {
      throw .invalidOptions(
        kind, "fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
    }
    options.fieldManager = named ?? String(call.userAgent.prefix { $0 != "/" }.prefix(128))
    guard options.fieldManager.utf8.count <= 128 else {
      throw .invalidOptions(kind, "fieldManager", "FieldValueTooLong", "Too long: may not be more than 128 bytes")
    }
    guard options.fieldManager.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      throw .invalidOptions(
        kind, "fieldManager", "FieldValueInvalid", "Invalid value: should only contain printable characters")
    }
    return options
  }

  /// Whether the values say so: none, or only `All`.
  package static func isDryRun(_ values: [String], kind: String) throws(APIStatus) -> Bool {
    let values = values.filter { !$0.isEmpty }
    if let other = values.first(where: { $0 != "All" }) {
      throw .invalidOptions(
        kind, "dryRun", "FieldValueNotSupported", "Unsupported value: \"\(other)\": supported values: \"All\"")
    }
    return !values.isEmpty
  }

  /// DeleteOptions from the body, or from the query where there is no body.
  package static func deletion(_ query: APIQuery, body: JSONValue?) throws(APIStatus) -> DeleteOptions {
    var options = DeleteOptions()
    var dryRun = query.all("dryRun")
    var propagation = query["propagationPolicy"]
    var orphans = query.optionalFlag("orphanDependents")
    if let body {
      guard body["kind"]?.string ?? "DeleteOptions" == "DeleteOptions" else {
        throw .badRequest("the body of a DELETE must be a DeleteOptions, found kind \"\(body["kind"]?.string ?? "")\"")
      }
      dryRun += body["dryRun"]?.array?.compactMap(\.string) ?? []
      propagation = body["propagationPolicy"]?.string ?? propagation
      orphans = body["orphanDependents"]?.bool ?? orphans
      options.preconditionUID = body[path: "preconditions", "uid"]?.string
      options.preconditionResourceVersion = body[path: "preconditions", "resourceVersion"]?.string
    }
    options.isDryRun = try isDryRun(dryRun, kind: "DeleteOptions")
    if let propagation {
      guard let value = DeleteOptions.Propagation(rawValue: propagation) else {
        throw .invalidOptions(
          "DeleteOptions", "propagationPolicy", "FieldValueNotSupported",
          "Unsupported value: \"\(propagation)\": supported values: \"Background\", \"Foreground\", \"Orphan\"")
      }
      options.propagation = value
    } else if let orphans {
      options.propagation = orphans ? .orphan : .background
    }
    return options
  }
}
