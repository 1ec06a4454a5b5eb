/// The static type of an expression, as far as the schema tells it.
indirect enum RuleType: Sendable {
  /// Anything: int-or-string fields and elements of empty lists.
  case dyn
  case null, bool, int, uint, double, string, duration, timestamp
  case list(RuleType)
  case map(RuleType)
  case object([String: Schema])
  case optional(RuleType)

  /// CEL's name.
  var name: String {
    switch self {
    case .dyn: "dyn"
    case .null: "null_type"
    case .bool: "bool"
    case .int: "int"
    case .uint: "uint"
    case .double: "double"
    case .string: "string"
    case .duration: "google.protobuf.Duration"
    case .timestamp: "google.protobuf.Timestamp"
    case .list(let element): "list(\(element.name))"
    case .map(let value): "map(string, \(value.name))"
    case .object: "object"
    case .optional(let value): "optional_type(\(value.name))"
    }
  }

  /// Whether values of the two types may be compared for equality.
  func agrees(with other: RuleType) -> Bool {
    switch (self, other) {
    case (.dyn, _), (_, .dyn), (.null, _), (_, .null), (.object, .object): true
    case (.list(let left), .list(let right)), (.map(let left), .map(let right)),
      (.optional(let left), .optional(let right)):
      left.agrees(with: right)
    case (.list, _), (.map, _), (.object, _), (.optional, _): false
    default: name == other.name
    }
  }

  var isBool: Bool { agrees(with: .bool) }
  var isString: Bool { agrees(with: .string) }

  /// The type of a schema node; nil where rules cannot look into it: a value of unknown shape.
  init?(
    kind: Schema.Kind?, format: String?, isIntOrString: Bool, properties: [String: Schema], additional: Schema?,
    items: Schema?
  ) {
    switch kind {
    case nil:
      guard isIntOrString else { return nil }
      self = .dyn
    case .boolean?: self = .bool
    case .integer?: self = .int
    case .number?: self = .double
    case .string?:
      self =
        switch format {
        case "date-time", "date": .timestamp
        case "duration": .duration
        case "byte": .dyn
        default: .string
        }
    case .array?:
      guard let element = items?.ruleType else { return nil }
      self = .list(element)
    case .object?:
      guard let additional else {
        self = .object(properties)
        return
      }
      guard let value = additional.ruleType else { return nil }
      self = .map(value)
    }
  }
}
