internal import Documents

/// The value validations of one schema node: bounds, patterns, enumerations and logical junctors.
struct ValueRules: Sendable {
  var allowed: [JSONValue] = []
  var minimum: JSONValue?
  var maximum: JSONValue?
  var isMinimumExclusive = false
  var isMaximumExclusive = false
  var multipleOf: Double?
  var minLength: Int?
  var maxLength: Int?
  var pattern: Pattern?
  var format: String?
  var minItems: Int?
  var maxItems: Int?
  var minProperties: Int?
  var maxProperties: Int?
  var allOf: [Schema] = []
  var anyOf: [Schema] = []
  var oneOf: [Schema] = []
  var not: Schema?

  init(_ members: [String: JSONValue], path: String, depth: Int) throws(SchemaError) {
    let isIntOrString = members["x-kubernetes-int-or-string"]?.bool ?? false
    allowed = members["enum"]?.array ?? []
    minimum = members["minimum"]
    maximum = members["maximum"]
    isMinimumExclusive = members["exclusiveMinimum"]?.bool ?? false
    isMaximumExclusive = members["exclusiveMaximum"]?.bool ?? false
    multipleOf = members["multipleOf"]?.number
    minLength = members["minLength"]?.int
    maxLength = members["maxLength"]?.int
    format = members["format"]?.string
    minItems = members["minItems"]?.int
    maxItems = members["maxItems"]?.int
    if members["uniqueItems"]?.bool == true {
      throw SchemaError(path: path, message: "uniqueItems must not be true: use x-kubernetes-list-type: set")
    }
    if let multipleOf, multipleOf <= 0 { throw SchemaError(path: path, message: "multipleOf must be above 0") }
    minProperties = members["minProperties"]?.int
    maxProperties = members["maxProperties"]?.int
    if let text = members["pattern"]?.string {
      do { pattern = try Pattern(text) } catch { throw SchemaError(path: path, message: error.description) }
    }
    allOf = try Self.schemas(members["allOf"], path: path, depth: depth)
    // The one place where a type may stand in a junctor; it says nothing more.
    let isPlainPair = isIntOrString && members["anyOf"] == [["type": "integer"], ["type": "string"]]
    anyOf = isPlainPair ? [] : try Self.schemas(members["anyOf"], path: path, depth: depth)
    oneOf = try Self.schemas(members["oneOf"], path: path, depth: depth)
    if let document = members["not"] {
      not = try Schema(document, path: "\(path).not", depth: depth + 1, isValueOnly: true)
    }
  }

  private static func schemas(_ documents: JSONValue?, path: String, depth: Int) throws(SchemaError) -> [Schema] {
    var schemas: [Schema] = []
    for document in documents?.array ?? [] {
      schemas.append(try Schema(document, path: path, depth: depth + 1, isValueOnly: true))
    }
    return schemas
  }
}
