public import Documents

extension Schema {
  /// What is wrong with the value, in Kubernetes' own words: each fault's field is its path from `root`.
  public func faults(in value: JSONValue, at root: String = "") -> [APIStatus.Cause] {
    var validator = Validator(path: FieldPath(root))
    validator.check(value, self)
    guard validator.omitted > 0 else { return validator.causes }
    return validator.causes + [
      APIStatus.Cause(
        reason: "FieldValueInvalid", message: "Invalid value: null: \(validator.omitted) further faults are not shown",
        field: "<nil>")
    ]
  }
}

/// Walks a value and its schema side by side and collects what does not fit.
private struct Validator {
  static let maximumCauses = 64
  var path: FieldPath
  var causes: [APIStatus.Cause] = []
  /// Faults beyond the most that are told.
  var omitted = 0

  var field: String { path.text }

  mutating func add(_ reason: String, _ message: String) {
    guard causes.count < Self.maximumCauses else {
      omitted += 1
      return
    }
    causes.append(APIStatus.Cause(reason: reason, message: message, field: field))
  }

  mutating func invalid(_ value: JSONValue, _ rule: String) {
    add("FieldValueInvalid", "Invalid value: \(value.short): \(field) in body \(rule)")
  }

  mutating func check(_ value: JSONValue, _ schema: Schema) {
    if value.isNull, schema.isNullable { return }
    if schema.isIntOrString {
      switch value {
      case .integer, .unsigned, .string: break
      default: return mistyped(value, "integer,string")
      }
    } else if let kind = schema.kind, !fits(value, kind) {
      return mistyped(value, kind.rawValue)
    }
    switch value {
    case .object(let members): check(members, schema)
    case .array(let elements): check(elements, schema)
    case .string(let text): check(text, schema.rules)
    case .integer, .unsigned, .double: checkNumber(value, schema.rules)
    case .null, .bool: break
    }
    if !schema.rules.allowed.isEmpty, !schema.rules.allowed.contains(where: { isSame($0, value) }) {
      let supported = schema.rules.allowed.map { "\(JSONValue.string($0.string ?? $0.description))" }
        .joined(separator: ", ")
      add("FieldValueNotSupported", "Unsupported value: \(value.short): supported values: \(supported)")
    }
    checkJunctors(value, schema.rules)
  }

  private mutating func mistyped(_ value: JSONValue, _ kind: String) {
    add(
      "FieldValueTypeInvalid",
      "Invalid value: \"\(value.typeName)\": \(field) in body must be of type \(kind): \"\(value.typeName)\"")
  }

  private func fits(_ value: JSONValue, _ kind: Schema.Kind) -> Bool {
    switch (kind, value) {
    case (.object, .object), (.array, .array), (.string, .string), (.boolean, .bool): true
    case (.number, .integer), (.number, .unsigned), (.number, .double): true
    case (.integer, .integer), (.integer, .unsigned): true
    case (.integer, .double(let number)): number.rounded() == number
    default: false
    }
  }

  private func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if left == right { return true }
    guard let left = left.number, let right = right.number else { return false }
    return left == right
  }

  private mutating func check(_ members: [String: JSONValue], _ schema: Schema) {
    for name in schema.required where members[name] == nil {
      path.append(.member(name))
      add("FieldValueRequired", "Required value")
      path.removeLast()
    }
    if let most = schema.rules.maxProperties, members.count > most {
      add("FieldValueTooMany", "Too many: \(members.count): must have at most \(most) items")
    }
    if let least = schema.rules.minProperties, members.count < least {
      invalid(.integer(Int64(members.count)), "should have at least \(least) properties")
    }
    if schema.isEmbeddedResource { checkEmbedded(members) }
    guard !schema.properties.isEmpty || schema.additional != nil else { return }
    for (name, member) in members.sorted(by: { $0.key < $1.key }) {
      guard let inner = schema.member(name) else { continue }
      path.append(.member(name))
      check(member, inner)
      path.removeLast()
    }
  }

  /// What Kubernetes asks of an object within an object: its own apiVersion, kind and metadata.
  private mutating func checkEmbedded(_ members: [String: JSONValue]) {
    for name in ["apiVersion", "kind"] where members[name]?.string?.isEmpty ?? true {
      path.append(.member(name))
      add("FieldValueRequired", "Required value: must not be empty")
      path.removeLast()
    }
    if let metadata = members["metadata"] {
      path.append(.member("metadata"))
      if metadata.object == nil { mistyped(metadata, "object") }
      path.removeLast()
    }
  }

  private mutating func check(_ elements: [JSONValue], _ schema: Schema) {
    let rules = schema.rules
    if let most = rules.maxItems, elements.count > most {
      return add("FieldValueTooMany", "Too many: \(elements.count): must have at most \(most) items")
    }
    if let least = rules.minItems, elements.count < least {
      invalid(.integer(Int64(elements.count)), "should have at least \(least) items")
    }
    if let items = schema.items {
      for (index, element) in elements.enumerated() {
        path.append(.index(index))
        check(element, items)
        path.removeLast()
      }
    }
    var seen: Set<JSONValue> = []
    for (index, element) in elements.enumerated() {
      let key: JSONValue
      switch schema.listType {
      case .map: key = schema.mapKey(of: element)
      case .set: key = element
      case .atomic: return
      }
      if !seen.insert(key).inserted {
        path.append(.index(index))
        add("FieldValueDuplicate", "Duplicate value: \(key.short)")
        path.removeLast()
      }
    }
  }

  private mutating func check(_ text: String, _ rules: ValueRules) {
    if let most = rules.maxLength, text.unicodeScalars.count > most {
      add("FieldValueTooLong", "Too long: may not be more than \(most) bytes")
      return
    }
    if let least = rules.minLength, text.unicodeScalars.count < least {
      invalid(.string(text), "should be at least \(least) chars long")
    }
    if let pattern = rules.pattern, !pattern.matches(text) {
      invalid(.string(text), "should match '\(pattern.text)'")
    }
    if let format = rules.format.flatMap(TextFormat.init(rawValue:)), !format.fits(text) {
      invalid(.string(text), "must be of type \(format.rawValue): \(JSONValue.string(text).short)")
    }
  }

  private mutating func checkNumber(_ value: JSONValue, _ rules: ValueRules) {
    if let bound = rules.minimum {
      let isBelow = rules.isMinimumExclusive ? !value.isGreater(than: bound) : bound.isGreater(than: value)
      if isBelow { invalid(value, "should be greater than \(rules.isMinimumExclusive ? "" : "or equal to ")\(bound)") }
    }
    if let bound = rules.maximum {
      let isAbove = rules.isMaximumExclusive ? !bound.isGreater(than: value) : value.isGreater(than: bound)
      if isAbove { invalid(value, "should be less than \(rules.isMaximumExclusive ? "" : "or equal to ")\(bound)") }
    }
    if let factor = rules.multipleOf, let number = value.number {
      let quotient = number / factor
      if (quotient - quotient.rounded()).magnitude > 1e-9 * max(1, quotient.magnitude) {
        invalid(value, "should be a multiple of \(JSONValue.double(factor))")
      }
    }
    let isOutside =
      switch rules.format {
      case "int32": value.integer.map { Int32(exactly: $0) == nil } ?? true
      case "int64": value.integer == nil
      case "uint32": value.integer.map { UInt32(exactly: $0) == nil } ?? true
      case "float": value.number.map { $0.magnitude > Double(Float.greatestFiniteMagnitude) } ?? false
      default: false
      }
    if isOutside { invalid(value, "must be of type \(rules.format!): \"\(value.typeName)\"") }
  }

  private func holds(_ value: JSONValue, _ schema: Schema) -> Bool { schema.faults(in: value).isEmpty }

  private mutating func checkJunctors(_ value: JSONValue, _ rules: ValueRules) {
    for schema in rules.allOf { check(value, schema) }
    if !rules.anyOf.isEmpty, !rules.anyOf.contains(where: { holds(value, $0) }) {
      add(
        "FieldValueInvalid",
        "Invalid value: \"\": \"\(field)\" must validate at least one schema (anyOf)\(names(of: rules.anyOf, "at least one of"))"
      )
    }
    if !rules.oneOf.isEmpty {
      let found = rules.oneOf.count { holds(value, $0) }
      if found != 1 {
        let verdict = found == 0 ? "Found none valid" : "Found \(found) valid alternatives"
        add(
          "FieldValueInvalid",
          "Invalid value: \"\": \"\(field)\" must validate one and only one schema (oneOf). \(verdict)\(names(of: rules.oneOf, "exactly one of"))"
        )
      }
    }
    if let not = rules.not, holds(value, not) {
      if not.rules.allowed.isEmpty {
        add("FieldValueInvalid", "Invalid value: \"\": \"\(field)\" must not validate the schema (not)")
      } else {
        invalid(value, "must not be one of \(not.rules.allowed.map(\.description).joined(separator: ", "))")
      }
    }
  }

  /// Where every alternative only requires a member, their names: what the user is to choose from.
  private func names(of alternatives: [Schema], _ word: String) -> String {
    let names = alternatives.flatMap(\.required)
    return names.count == alternatives.count ? ": give \(word) \(names.joined(separator: ", "))" : ""
  }
}

extension JSONValue {
  /// The value as messages show it: JSON, cut where it is long.
  fileprivate var short: String {
    let text = description
    return text.count > 200 ? "\(text.prefix(200))…" : text
  }

  /// Numeric order, exact for integers.
  fileprivate func isGreater(than other: JSONValue) -> Bool {
    switch (self, other) {
    case (.integer(let left), .integer(let right)): left > right
    case (.unsigned(let left), .unsigned(let right)): left > right
    case (.unsigned, .integer): true
    case (.integer, .unsigned): false
    default: (number ?? 0) > (other.number ?? 0)
    }
  }
}
