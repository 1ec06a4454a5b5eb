public import Documents
public import SinkKit

/// Reads the fragment of a Sink's spec that belongs to one kind of sink; every error names the field.
public struct FieldReader: Sendable {
  /// The path of the fragment: `spec.http`.
  public let path: String
  public let json: JSONValue

  public init(_ json: JSONValue, at path: String) {
    self.json = json
    self.path = path
  }

  public func error(_ field: String, _ message: String) -> SinkError {
    SinkError(reason: "InvalidSpec", message: "\(path).\(field): \(message)")
  }

  /// The object `field`; nil where it is absent or null.
  public func object(_ field: String) throws(SinkError) -> FieldReader? {
    guard let value = json[field], !value.isNull else { return nil }
    guard value.object != nil else { throw error(field, "must be an object") }
    return FieldReader(value, at: "\(path).\(field)")
  }

  public func string(_ field: String) throws(SinkError) -> String? {
    guard let value = json[field], !value.isNull else { return nil }
    guard let text = value.string, !text.isEmpty else { throw error(field, "must be a text that is not empty") }
    return text
  }

  public func bool(_ field: String) throws(SinkError) -> Bool? {
    guard let value = json[field], !value.isNull else { return nil }
    guard let bool = value.bool else { throw error(field, "must be true or false") }
    return bool
  }

  public func integer(_ field: String, in range: ClosedRange<Int>) throws(SinkError) -> Int? {
    guard let value = json[field], !value.isNull else { return nil }
    guard let number = value.int, range.contains(number) else {
      throw error(field, "must be a whole number between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  public func duration(_ field: String) throws(SinkError) -> Duration? {
    guard let text = try string(field) else { return nil }
    guard let duration = Duration(manifest: text), duration > .zero else {
      throw error(field, "must be a duration such as 500ms, 10s or 1m30s, longer than 0s")
    }
    return duration
  }

  /// One of the cases of `type` by its raw value.
  public func choice<Choice>(_ field: String, _ type: Choice.Type) throws(SinkError) -> Choice?
  where Choice: RawRepresentable<String> & CaseIterable {
    guard let text = try string(field) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw error(field, "must be one of \(type.allCases.map(\.rawValue).joined(separator: ", ")), is '\(text)'")
    }
    return choice
  }

  public func strings(_ field: String) throws(SinkError) -> [String] {
    guard let value = json[field], !value.isNull else { return [] }
    guard let array = value.array else { throw error(field, "must be a list of texts") }
    var texts: [String] = []
    for element in array {
      guard let text = element.string else { throw error(field, "must be a list of texts") }
      texts.append(text)
    }
    return texts
  }

  /// Texts by name.
  public func map(_ field: String) throws(SinkError) -> [String: String] {
    guard let members = try object(field)?.json.object else { return [:] }
    var map: [String: String] = [:]
    for (name, value) in members {
      guard let text = value.string else { throw error("\(field).\(name)", "must be a text") }
      map[name] = text
    }
    return map
  }

  /// A template of names; `standard` where the field is absent.
  public func template(_ field: String, standard: String, namesFields: Bool = false) throws(SinkError) -> NameTemplate {
    let text = json[field]?.string ?? standard
    do throws(NameTemplate.Problem) {
      return try NameTemplate(text, namesFields: namesFields)
    } catch {
      throw self.error(field, "\(error)")
    }
  }

  /// Templates by name.
  public func templates(_ field: String) throws(SinkError) -> [String: NameTemplate] {
    var templates: [String: NameTemplate] = [:]
    for (name, text) in try map(field) {
      do throws(NameTemplate.Problem) {
        templates[name] = try NameTemplate(text)
      } catch {
        throw self.error("\(field).\(name)", "\(error)")
      }
    }
    return templates
  }
}
