package import Documents
internal import Resources

/// The one OpenAPI 2.0 document of all kinds, which kubectl 1.20 needs to apply, diff and explain.
package enum OpenAPIv2 {
  private static let prefix = "#/definitions/"

  static func document(_ definitions: [ResourceDefinition], version: String) -> JSONValue {
    var schemas: [String: JSONValue] = [
      ObjectSchemas.metadataName: ObjectSchemas.metadata, ObjectSchemas.listMetadataName: ObjectSchemas.listMetadata,
    ]
    var paths: [String: JSONValue] = [:]
    for definition in definitions {
      let name = ObjectSchemas.name(definition)
      schemas[name] = reduced(ObjectSchemas.object(definition, prefix: prefix))
      schemas[name + "List"] = ObjectSchemas.list(definition, prefix: prefix)
      for part in definition.subresources {
        let described = definition.describing(part)
        schemas[ObjectSchemas.name(described)] = reduced(ObjectSchemas.object(described, prefix: prefix))
      }
      for path in ResourceOperations(definition).paths {
        let definition = path.subresource.map(definition.describing) ?? definition
        var item: JSONValue = [:]
        if !path.parameters.isEmpty {
          item["parameters"] = .array(
            path.parameters.map { ["name": .string($0), "in": "path", "required": true, "type": "string"] })
        }
        for operation in path.operations {
          item[operation.method] = json(operation, of: definition, id: operation.action + path.template)
        }
        paths[path.template] = item
      }
    }
    return [
      "swagger": "2.0", "info": ["title": "Selvedge", "version": .string(version)], "paths": .object(paths),
      "definitions": .object(schemas),
    ]
  }

  private static func json(
    _ operation: ResourceOperations.Operation, of definition: ResourceDefinition, id: String
  ) -> JSONValue {
    [
      "operationId": .string(id), "x-kubernetes-action": .string(operation.action),
      "x-kubernetes-group-version-kind": ObjectSchemas.groupVersionKind(definition),
      "parameters": .array(
        operation.parameters.map { name in
          [
            "name": .string(name), "in": "query", "uniqueItems": true,
            "description": .string(ResourceOperations.description(ofParameter: name)),
            "type": .string(ResourceOperations.type(ofParameter: name)),
          ]
        }),
      "responses": ["200": ["description": "OK"]],
    ]
  }

  /// A structural schema in the words of OpenAPI 2.0, which has no alternatives, null or open objects: where these
  /// stand, the schema is left open, so that clients refuse nothing that the server takes.
  package static func reduced(_ schema: JSONValue) -> JSONValue {
    guard let members = schema.object else { return schema }
    var output: [String: JSONValue] = [:]
    let isNullable = members["nullable"]?.bool ?? false
    let isOpen = members["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
    for (key, value) in members {
      switch key {
      case "nullable", "default", "oneOf", "anyOf", "allOf", "not", "x-kubernetes-validations": continue
      case "type" where isNullable || members["x-kubernetes-int-or-string"]?.bool == true: continue
      case "properties":
        guard !isNullable, !isOpen else { continue }
        output[key] = .object((value.object ?? [:]).mapValues(reduced))
      case "items", "additionalProperties":
        guard !isNullable, !isOpen, value.object != nil else { continue }
        output[key] = reduced(value)
      case "required" where isNullable || isOpen: continue
      default: output[key] = value
      }
    }
    return .object(output)
  }
}
