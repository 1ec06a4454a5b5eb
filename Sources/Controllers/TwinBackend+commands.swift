internal import DeviceKit
public import Documents
public import Resources
internal import TwinStore

extension TwinBackend {
  /// `twins/NAME/commands`: values that are written once and are no desired state.
  static let commands = NamedSubresource(
    name: "commands", kind: "TwinCommand", verbs: [.create],
    schema: [
      "type": "object", "description": "A value that is to be written once, now; answered with what came of it.",
      "required": ["property", "value"],
      "properties": [
        "property": ["type": "string", "description": "The property to write."],
        "value": ["x-kubernetes-preserve-unknown-fields": true, "description": "What to write; the model judges it."],
        "timeout": ["type": "string", "description": "How long to wait for the device, at most 60s. Absent is 10s."],
        "idempotencyKey": [
          "type": "string", "maxLength": 128,
          "description": "Commands of one key are sent once; the later ones are answered with the first one's outcome.",
        ],
        "verify": ["type": "boolean", "description": "Whether the property is read back once."],
        "state": [
          "type": "string", "enum": ["Succeeded", "Failed", "TimedOut", "Unknown"], "description": "What came of it.",
        ],
        "message": ["type": "string", "description": "What came of it, in words."],
        "sentTime": ["type": "string", "format": "date-time", "description": "When it was sent; absent: it was not."],
        "endTime": ["type": "string", "format": "date-time", "description": "When its outcome was known."],
        "reported": ["x-kubernetes-preserve-unknown-fields": true, "description": "What was read back."],
      ],
    ])

  private static let longestTimeout = Duration.seconds(60)
  private static let fields: Set = [
    "apiVersion", "kind", "metadata", "property", "value", "timeout", "idempotencyKey", "verify",
  ]

  public func get(_ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ query: [QueryItem])
    async throws(APIStatus) -> JSONValue
  {
    try check(resource)
    switch subresource.name {
    case Self.history.name: return try await historyDocument(key, query)
    case Self.delta.name: return try deltaDocument(key)
    default: throw .noSuchPath
    }
  }

  public func create(
    _ resource: ResourceName, _ key: ObjectKey, subresource: NamedSubresource, _ object: JSONValue,
    _ options: WriteOptions
  ) async throws(APIStatus) -> WriteResult {
    try check(resource)
    guard subresource.name == Self.commands.name else { throw .noSuchPath }
    let (command, warnings) = try command(in: object, key, options)
    let device = DeviceKey(namespace: key.namespace, name: key.name)
    do throws(TwinError) {
      if options.isDryRun {
        try twins.checkCommand(command, on: device)
        return WriteResult(object: object, warnings: warnings)
      }
      let (outcome, isRepeated) = try await twins.carryOut(command, on: device)
      return WriteResult(object: object.merging(outcome.json), isCreated: !isRepeated, warnings: warnings)
    } catch {
      throw commandStatus(error, key)
    }
  }

  private func command(
    in object: JSONValue, _ key: ObjectKey, _ options: WriteOptions
  ) throws(APIStatus) -> (TwinCommand, [String]) {
    let unknown = (object.object ?? [:]).keys.filter { !Self.fields.contains($0) }.sorted()
    let warnings = options.fieldValidation == .ignore ? [] : unknown.map { "unknown field \"\($0)\"" }
    if options.fieldValidation == .strict, !warnings.isEmpty {
      throw .badRequest("strict decoding error: \(warnings.joined(separator: ", "))")
    }
    func required(_ field: String) -> APIStatus { refused(key, field, "FieldValueRequired", "Required value") }
    guard let property = object["property"]?.string, !property.isEmpty else { throw required("property") }
    guard let value = object["value"], !value.isNull else { throw required("value") }
    var command = TwinCommand(property: property, value: value, user: options.fieldManager)
    if let timeout = object["timeout"], !timeout.isNull {
      guard let span = timeout.string.flatMap({ Duration(manifest: $0) }), span > .zero, span <= Self.longestTimeout
      else { throw refused(key, "timeout", "FieldValueInvalid", "takes a duration up to 60s, such as 10s") }
      command.timeout = span
    }
    if let text = object["idempotencyKey"], !text.isNull {
      guard let text = text.string, (1...128).contains(text.utf8.count) else {
        throw refused(key, "idempotencyKey", "FieldValueInvalid", "takes a text of 1 to 128 bytes")
      }
      command.idempotencyKey = text
    }
    if let verify = object["verify"], !verify.isNull {
      guard let verify = verify.bool else { throw refused(key, "verify", "FieldValueInvalid", "takes true or false") }
      command.verifies = verify
    }
    return (command, warnings)
  }

  private func refused(_ key: ObjectKey, _ field: String, _ reason: String, _ message: String) -> APIStatus {
    .invalid(
      kind: Self.commands.kind, group: Self.definition.group, name: key.name,
      causes: [.init(reason: reason, message: message, field: field)])
  }

  private func commandStatus(_ error: TwinError, _ key: ObjectKey) -> APIStatus {
    guard case .invalid(let problems) = error else { return status(error, key) }
    return .invalid(
      kind: Self.commands.kind, group: Self.definition.group, name: key.name,
      causes: problems.map { .init(reason: "FieldValueInvalid", message: $0.message, field: "value") })
  }

  static func status(_ refusal: TwinCommandRefusal, _ key: ObjectKey) -> APIStatus {
    let (code, reason) =
      switch refusal.reason {
      case .writesDisabled, .readOnlyGateway: (403, "Forbidden")
      case .notServed, .notConnected, .leaseLost, .hasDesiredValue, .keyReused: (409, "Conflict")
      case .tooMany: (429, "TooManyRequests")
      }
    return APIStatus(
      code: code, reason: reason, message: "twins \"\(key.name)\": \(refusal.message)", name: key.name,
      group: definition.group, kind: definition.plural,
      causes: [.init(reason: refusal.reason.rawValue, message: refusal.message, field: "")],
      retryAfterSeconds: refusal.reason == .tooMany ? 1 : nil)
  }
}
