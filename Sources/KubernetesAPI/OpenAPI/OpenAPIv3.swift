internal import Documents
internal import Resources

/// OpenAPI 3.0 documents, one for each group and version, as kubectl 1.27 and later read them.
struct OpenAPIv3: Sendable {
  private static let prefix = "#/components/schemas/"

  /// The document of a group's version.
  static func document(_ definitions: [ResourceDefinition], version: String) -> JSONValue {
    var schemas: [String: JSONValue] = [
      ObjectSchemas.metadataName: ObjectSchemas.metadata, ObjectSchemas.listMetadataName: ObjectSchemas.listMetadata,
    ]
    var paths: [String: JSONValue] = [:]
    for definition in definitions {
      let name = ObjectSchemas.name(definition)
      schemas[name] = ObjectSchemas.object(definition, prefix: prefix)
      schemas[name + "List"] = ObjectSchemas.list(definition, prefix: prefix)
      for part in definition.subresources {
        let described = definition.describing(part)
        schemas[ObjectSchemas.name(described)] = ObjectSchemas.object(described, prefix: prefix)
      }
      for path in ResourceOperations(definition).paths {
        paths[path.template] = item(path, of: path.subresource.map(definition.describing) ?? definition)
      }
    }
    return [
      "openapi": "3.0.0", "info": ["title": "Selvedge", "version": .string(version)], "paths": .object(paths),
      "components": ["schemas": .object(schemas)],
    ]
  }

  private static func item(_ path: ResourceOperations.Path, of definition: ResourceDefinition) -> JSONValue {
    var item: JSONValue = [:]
    if !path.parameters.isEmpty {
      item["parameters"] = .array(
        path.parameters.map { ["name": .string($0), "in": "path", "required": true, "schema": ["type": "string"]] })
    }
    for operation in path.operations { item[operation.method] = json(operation, of: definition) }
    return item
  }

  private static func json(_ operation: ResourceOperations.Operation, of definition: ResourceDefinition) -> JSONValue {
    let isList = operation.action == "list"
    let object: JSONValue = ["$ref": .string(prefix + ObjectSchemas.name(definition))]
    let answer: JSONValue = isList ? ["$ref": .string(prefix + ObjectSchemas.name(definition) + "List")] : object
    var json: JSONValue = [
      "x-kubernetes-action": .string(operation.action),
      "x-kubernetes-group-version-kind": ObjectSchemas.groupVersionKind(definition),
      "parameters": .array(
        operation.parameters.map { name in
          [
            "name": .string(name), "in": "query",
            "description": .string(ResourceOperations.description(ofParameter: name)),
            "schema": ["type": .string(ResourceOperations.type(ofParameter: name)), "uniqueItems": true],
          ]
        }),
      "responses": ["200": ["description": "OK", "content": ["application/json": ["schema": answer]]]],
    ]
    if operation.takesBody {
      let isPatch = operation.method == "patch"
      let types = isPatch ? RequestBodyFormat.patchTypes : ["application/json", "application/yaml"]
      let schema: JSONValue = isPatch ? ["type": "object"] : object
      json["requestBody"] = [
        "required": true, "content": .object(Dictionary(uniqueKeysWithValues: types.map { ($0, ["schema": schema]) })),
      ]
    }
    return json
  }
}
