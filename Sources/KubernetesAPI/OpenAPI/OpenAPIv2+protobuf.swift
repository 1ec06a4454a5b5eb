internal import Documents

/// The OpenAPI 2.0 document as gnostic's `openapi.v2.Document` (gnostic-models, openapiv2/OpenAPIv2.proto).
///
/// kubectl reads schemas and the patch operations; other operations are left out.
extension OpenAPIv2 {
  static func protobuf(_ document: JSONValue) -> [UInt8] {
    var writer = ProtobufWriter()
    writer.string(1, "2.0")
    writer.message(2) { info in
      info.string(1, document[path: "info", "title"]?.string)
      info.string(2, document[path: "info", "version"]?.string)
    }
    writer.message(8) { paths in
      for (template, item) in sorted(document["paths"]) {
        paths.message(2) { named in
          named.string(1, template)
          named.message(2) { write(item, to: &$0) }
        }
      }
    }
    writer.message(9) { definitions in
      for (name, schema) in sorted(document["definitions"]) {
        definitions.message(1) { named in
          named.string(1, name)
          named.message(2) { write(schema: schema, to: &$0) }
        }
      }
    }
    return writer.bytes
  }

  private static func sorted(_ value: JSONValue?) -> [(key: String, value: JSONValue)] {
    (value?.object ?? [:]).sorted { $0.key < $1.key }
  }

  private static func write(_ item: JSONValue, to writer: inout ProtobufWriter) {
    guard let patch = item["patch"] else { return }
    writer.message(8) { operation in
      operation.string(5, patch["operationId"]?.string)
      for parameter in patch["parameters"]?.array ?? [] {
        operation.message(8) { item in
          item.message(1) { union in
            union.message(2) { nonBody in
              nonBody.message(3) { query in
                query.string(2, "query")
                query.string(3, parameter["description"]?.string)
                query.string(4, parameter["name"]?.string)
                query.string(6, parameter["type"]?.string)
              }
            }
          }
        }
      }
      operation.message(9) { responses in
        responses.message(1) { named in
          named.string(1, "200")
          named.message(2) { $0.message(1) { $0.string(1, "OK") } }
        }
      }
      writeExtensions(of: patch, field: 13, to: &operation)
    }
  }

  private static func write(schema: JSONValue, to writer: inout ProtobufWriter) {
    writer.string(1, schema["$ref"]?.string)
    writer.string(2, schema["format"]?.string)
    writer.string(4, schema["description"]?.string)
    writer.string(13, schema["pattern"]?.string)
    for name in schema["required"]?.array ?? [] { writer.string(19, name.string) }
    for value in schema["enum"]?.array ?? [] { writer.message(20) { $0.string(2, value.description) } }
    if let additional = schema["additionalProperties"] {
      writer.message(21) { $0.message(1) { write(schema: additional, to: &$0) } }
    }
    if let type = schema["type"]?.string { writer.message(22) { $0.string(1, type) } }
    if let items = schema["items"] { writer.message(23) { $0.message(1) { write(schema: items, to: &$0) } } }
    if schema["properties"] != nil {
      writer.message(25) { properties in
        for (name, schema) in sorted(schema["properties"]) {
          properties.message(1) { named in
            named.string(1, name)
            named.message(2) { write(schema: schema, to: &$0) }
          }
        }
      }
    }
    writeExtensions(of: schema, field: 31, to: &writer)
  }

  /// Extensions are YAML text there; JSON is YAML.
  private static func writeExtensions(of value: JSONValue, field: Int, to writer: inout ProtobufWriter) {
    for (key, content) in sorted(value) where key.hasPrefix("x-") {
      writer.message(field) { named in
        named.string(1, key)
        named.message(2) { $0.string(2, content.description) }
      }
    }
  }
}
