package import Documents
package import Resources

/// The query parameters of create, update and patch (meta/v1 CreateOptions, UpdateOptions, PatchOptions).
package enum WriteParameters {
  /// - Parameters:
  ///   - kind: `CreateOptions`, `UpdateOptions` or `PatchOptions`, for messages.
  ///   - isApply: server-side apply, which must name its manager; elsewhere the User-Agent up to the first `/` counts.
  package static func read(_ call: APICall, kind: String, isApply: Bool = false) throws(APIStatus) -> WriteOptions {
    var options = WriteOptions(isDryRun: try isDryRun(call.query.all("dryRun"), kind: kind))
    if call.user != .local {
      options.user = call.user.name
      options.groups = call.user.groups
    }
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
    options.fieldManager = named ?? manager(ofUserAgent: call.userAgent)
    guard options.fieldManager.utf8.count <= 128 else {
      throw .invalidOptions(kind, "fieldManager", "FieldValueTooLong", "Too long: may not be more than 128 bytes")
    }
    guard options.fieldManager.unicodeScalars.allSatisfy(isPrintable) else {
      throw .invalidOptions(
        kind, "fieldManager", "FieldValueInvalid", "Invalid value: should only contain printable characters")
    }
    return options
  }

  /// The User-Agent up to its first `/`, without what cannot be printed, cut at 128 bytes.
  private static func manager(ofUserAgent text: String) -> String {
    var manager = ""
    for scalar in text.prefix(while: { $0 != "/" }).unicodeScalars where isPrintable(scalar) {
      guard manager.utf8.count + UTF8.width(scalar) <= 128 else { break }
      manager.unicodeScalars.append(scalar)
    }
    return manager
  }

  /// As Go's `unicode.IsPrint`, which Kubernetes asks: letters, marks, numbers, punctuation, symbols and the ASCII space.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    case .spaceSeparator: scalar == " "
    default: true
    }
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
      dryRun += try member("dryRun", of: body, as: \.array)?.compactMap(\.string) ?? []
      propagation = try member("propagationPolicy", of: body, as: \.string) ?? propagation
      orphans = try member("orphanDependents", of: body, as: \.bool) ?? orphans
      _ = try member("gracePeriodSeconds", of: body, as: \.integer)
      if let preconditions = try member("preconditions", of: body, as: \.object) {
        options.preconditionUID = try member("uid", of: .object(preconditions), as: \.string)
        options.preconditionResourceVersion = try member("resourceVersion", of: .object(preconditions), as: \.string)
      }
    }
    options.isDryRun = try isDryRun(dryRun, kind: "DeleteOptions")
    if propagation != nil, orphans != nil {
      throw .invalidOptions(
        "DeleteOptions", "propagationPolicy", "FieldValueInvalid",
        "Invalid value: \"\(propagation ?? "")\": orphanDependents and deletionPropagation cannot be both set")
    }
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

  /// A member that may be absent or null; 400 where it is of another type, for an option that is not understood must
  /// not be passed over: what it guards would be deleted.
  private static func member<Value>(
    _ name: String, of body: JSONValue, as read: (JSONValue) -> Value?
  ) throws(APIStatus) -> Value? {
    guard let member = body[name], !member.isNull else { return nil }
    guard let value = read(member) else {
      throw .badRequest("DeleteOptions cannot be read: \(name) must not be of type \(member.typeName)")
    }
    return value
  }
}
