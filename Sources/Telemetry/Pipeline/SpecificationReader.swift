package import Documents
package import SinkKit

/// Reads one JSON object of a spec field by field, naming the path in every error; what nobody asked for is unknown.
package struct SpecificationReader {
  package let path: String
  private let members: [String: JSONValue]
  private var asked: Set<String> = []

  package init(_ json: JSONValue, at path: String) throws(SpecificationError) {
    guard case .object(let members) = json else {
      throw SpecificationError(path: path, message: "must be an object, is \(json.typeName)")
    }
    self.members = members
    self.path = path
  }

  package var keys: [String] { members.keys.sorted() }

  package func path(_ key: String) -> String { "\(path).\(key)" }

  package func error(_ key: String, _ message: String) -> SpecificationError {
    SpecificationError(path: self.path(key), message: message)
  }

  /// The member; nil where it is absent or null.
  package mutating func value(_ key: String) -> JSONValue? {
    asked.insert(key)
    guard let value = members[key], !value.isNull else { return nil }
    return value
  }

  package mutating func object(_ key: String) throws(SpecificationError) -> SpecificationReader? {
    guard let value = value(key) else { return nil }
    return try SpecificationReader(value, at: path(key))
  }

  package mutating func string(_ key: String) throws(SpecificationError) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string else { throw error(key, "must be a string, is \(value.typeName)") }
    return text
  }

  package mutating func number(_ key: String) throws(SpecificationError) -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.number, number.isFinite else { throw error(key, "must be a number, is \(value.typeName)") }
    return number
  }

  /// One of the names of an enumeration's cases.
  package mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String
  ) throws(SpecificationError) -> Choice? where Choice.RawValue == String {
    guard let text = try string(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw error(key, "'\(text)' is not one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    return choice
  }

  package mutating func boolean(_ key: String) throws(SpecificationError) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .bool(let flag) = value else { throw error(key, "must be true or false, is \(value.typeName)") }
    return flag
  }

  /// A text with words in braces that a series fills in.
  package func template(_ key: String, _ text: String) throws(SpecificationError) -> NameTemplate {
    let template: NameTemplate
    do {
      template = try NameTemplate(text)
    } catch let fault {
      throw error(key, fault.description)
    }
    let namesPipeline = template.parts.contains { if case .word(.pipeline, _) = $0 { true } else { false } }
    guard !namesPipeline else { throw error(key, "'{pipeline}' has no meaning in a stage") }
    return template
  }

  /// An expression that has been checked; nil where the member is absent.
  package mutating func expression(
    _ key: String, scope: Expression.Scope, result: Expression.Result? = .boolean
  ) throws(SpecificationError) -> Expression? {
    guard let text = try string(key) else { return nil }
    do {
      return try Expression(text, scope: scope, result: result)
    } catch let fault {
      throw error(key, "\(fault)")
    }
  }

  /// A positive duration as manifests write it.
  package mutating func duration(_ key: String, allowingZero: Bool = false) throws(SpecificationError) -> Duration? {
    guard let text = try string(key) else { return nil }
    guard let duration = Duration(manifest: text) else {
      throw error(key, "'\(text)' is not a duration such as 10s, 1m30s or 500ms")
    }
    guard duration > .zero || allowingZero else { throw error(key, "must be longer than zero") }
    return duration
  }

  /// A quantity of bytes: `256Mi`, or a bare number.
  package mutating func bytes(_ key: String) throws(SpecificationError) -> Int64? {
    guard let value = value(key) else { return nil }
    let bytes = value.string.flatMap(Quantity.bytes) ?? value.integer
    guard let bytes, bytes >= 0 else { throw error(key, "must be a quantity of bytes such as 256Mi") }
    return bytes
  }

  package mutating func strings(_ key: String) throws(SpecificationError) -> [String]? {
    guard let value = value(key) else { return nil }
    guard let elements = value.array else { throw error(key, "must be a list, is \(value.typeName)") }
    var texts: [String] = []
    for (index, element) in elements.enumerated() {
      guard let text = element.string else { throw error("\(key)[\(index)]", "must be a string") }
      texts.append(text)
    }
    return texts
  }

  package mutating func stringMap(_ key: String) throws(SpecificationError) -> [String: String]? {
    guard let value = value(key) else { return nil }
    guard let members = value.object else { throw error(key, "must be an object, is \(value.typeName)") }
    var texts: [String: String] = [:]
    for (name, member) in members {
      guard let text = member.string else { throw error("\(key).\(name)", "must be a string") }
      texts[name] = text
    }
    return texts
  }

  /// Refuses members that no call has asked for.
  package func finish() throws(SpecificationError) {
    if let unknown = members.keys.filter({ !asked.contains($0) }).min() {
      throw error(unknown, "unknown field; known here: \(asked.sorted().joined(separator: ", "))")
    }
  }
}
