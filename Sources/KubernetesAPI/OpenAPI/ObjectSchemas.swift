internal import Documents
internal import Resources

/// The schemas that OpenAPI documents share, and the names by which they refer to each other.
enum ObjectSchemas {
  static let metadataName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
  static let listMetadataName = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"

  /// A kind's schema name: the group's labels backwards, version, kind: `dev.selvedge.v1alpha1.Device`.
  static func name(_ definition: ResourceDefinition) -> String {
    let group = definition.group.isEmpty ? "core.api.k8s.io" : definition.group
    return (group.split(separator: ".").reversed().map(String.init) + [definition.version, definition.kind])
      .joined(separator: ".")
  }

  static func groupVersionKind(_ definition: ResourceDefinition, list: Bool = false) -> JSONValue {
    [
      "group": .string(definition.group), "version": .string(definition.version),
      "kind": .string(list ? definition.listKind : definition.kind),
    ]
  }

  /// The whole object: the definition's schema with apiVersion, kind and metadata as every object has them.
  /// - Parameter prefix: where schemas stand in the document, `#/components/schemas/` or `#/definitions/`.
  static func object(_ definition: ResourceDefinition, prefix: String) -> JSONValue {
    var schema = definition.schema
    var properties = schema["properties"] ?? [:]
    properties["apiVersion"] = ["type": "string", "description": "The group and version of the object's schema."]
    properties["kind"] = ["type": "string", "description": "The kind of the object."]
    properties["metadata"] = ["$ref": .string(prefix + metadataName), "description": "Standard object metadata."]
    schema["type"] = "object"
    schema["properties"] = properties
    schema["x-kubernetes-group-version-kind"] = [groupVersionKind(definition)]
    return schema
  }

  static func list(_ definition: ResourceDefinition, prefix: String) -> JSONValue {
    [
      "type": "object", "description": .string("A list of \(definition.kind)."), "required": ["items"],
      "properties": [
        "apiVersion": ["type": "string", "description": "The group and version of the list's schema."],
        "kind": ["type": "string", "description": "The kind of the list."],
        "metadata": ["$ref": .string(prefix + listMetadataName), "description": "Standard list metadata."],
        "items": [
          "type": "array", "description": "The objects.", "items": ["$ref": .string(prefix + name(definition))],
        ],
      ],
      "x-kubernetes-group-version-kind": [groupVersionKind(definition, list: true)],
    ]
  }

  /// `metadata` of a list.
  static let listMetadata: JSONValue = [
    "type": "object", "description": "Metadata of a list.",
    "properties": [
      "resourceVersion": text("The version of the collection at which a watch may begin."),
      "continue": text("A token for the next page; empty on the last."),
      "remainingItemCount": ["type": "integer", "format": "int64", "description": "How many items follow this page."],
      "selfLink": text("Not used."),
    ],
  ]

  /// `metadata` of an object.
  static let metadata: JSONValue = [
    "type": "object", "description": "Metadata that every stored object has.",
    "properties": [
      "name": text("Unique among the objects of its kind and namespace."),
      "generateName": text("A prefix from which the server makes a unique name where no name is given."),
      "namespace": text("The namespace that the object is in."),
      "labels": map("Keys and values by which selectors choose objects."),
      "annotations": map("Keys and values that tools keep with the object; not selectable."),
      "uid": text("Unique in time and space; set by the server."),
      "resourceVersion": text("Changes with every write; a write that names an old one is refused."),
      "generation": [
        "type": "integer", "format": "int64",
        "description": "Counts the changes of the wanted state; set by the server.",
      ],
      "creationTimestamp": time("When the server stored the object first."),
      "deletionTimestamp": time("When deletion was asked for, while finalizers hold the object."),
      "deletionGracePeriodSeconds": [
        "type": "integer", "format": "int64", "description": "Seconds until the object may go.",
      ],
      "finalizers": [
        "type": "array", "description": "Who has work to do before the object may go.", "items": ["type": "string"],
        "x-kubernetes-list-type": "set",
      ],
      "ownerReferences": [
        "type": "array", "description": "The objects with whose end this one ends.",
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"],
        "items": [
          "type": "object", "required": ["apiVersion", "kind", "name", "uid"],
          "properties": [
            "apiVersion": text("The owner's group and version."), "kind": text("The owner's kind."),
            "name": text("The owner's name."), "uid": text("The owner's uid."),
            "controller": ["type": "boolean", "description": "Whether this owner manages the object."],
            "blockOwnerDeletion": [
              "type": "boolean", "description": "Whether a foreground deletion of the owner waits for the object.",
            ],
          ],
        ],
      ],
      "managedFields": [
        "type": "array", "description": "Who owns which fields; kept by the server.",
        "items": [
          "type": "object",
          "properties": [
            "manager": text("Who wrote."), "operation": text("Apply or Update."),
            "apiVersion": text("The version that the fields are named in."), "time": time("When the entry changed."),
            "fieldsType": text("FieldsV1."), "fieldsV1": ["type": "object", "description": "The owned fields."],
            "subresource": text("The part of the object that was written to."),
          ],
        ],
      ],
      "selfLink": text("Not used."),
    ],
  ]

  private static func text(_ description: String) -> JSONValue {
    ["type": "string", "description": .string(description)]
  }

  private static func time(_ description: String) -> JSONValue {
    ["type": "string", "format": "date-time", "description": .string(description)]
  }

  private static func map(_ description: String) -> JSONValue {
    ["type": "object", "additionalProperties": ["type": "string"], "description": .string(description)]
  }
}
