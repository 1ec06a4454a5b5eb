internal import Documents

/// What Kubernetes asks of an object's metadata beyond the kind's own schema (meta/v1 ObjectMeta).
public enum MetadataRules {
  /// The members of ObjectMeta with their types.
  public static let schema: Schema = {
    let text: JSONValue = ["type": "string"]
    let nullableText: JSONValue = ["type": "string", "nullable": true]
    let map: JSONValue = ["type": "object", "nullable": true, "additionalProperties": text]
    let owner: JSONValue = [
      "type": "object", "required": ["apiVersion", "kind", "name", "uid"],
      "properties": [
        "apiVersion": ["type": "string", "minLength": 1], "kind": ["type": "string", "minLength": 1],
        "name": ["type": "string", "minLength": 1], "uid": ["type": "string", "minLength": 1],
        "controller": ["type": "boolean", "nullable": true],
        "blockOwnerDeletion": ["type": "boolean", "nullable": true],
      ],
    ]
    let document: JSONValue = [
      "type": "object",
      "properties": [
        "name": text, "generateName": text, "namespace": text, "selfLink": text, "uid": text, "resourceVersion": text,
        "generation": ["type": "integer"], "creationTimestamp": nullableText, "deletionTimestamp": nullableText,
        "deletionGracePeriodSeconds": ["type": "integer", "nullable": true], "labels": map, "annotations": map,
        "finalizers": ["type": "array", "nullable": true, "items": text, "x-kubernetes-list-type": "set"],
        "ownerReferences": [
          "type": "array", "nullable": true, "items": owner, "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["uid"],
        ],
        "managedFields": [
          "type": "array", "nullable": true,
          "items": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
        ],
      ],
    ]
    do { return try Schema(document) } catch { preconditionFailure("the schema of ObjectMeta: \(error)") }
  }()

  /// What is wrong with the metadata of an object that has its final name.
  public static func faults(in metadata: ObjectMetadata, isNamespaceKind: Bool = false) -> [APIStatus.Cause] {
    var causes = schema.faults(in: metadata.json, at: "metadata")
    func add(_ field: String, _ value: String, _ fault: String, reason: String = "FieldValueInvalid") {
      causes.append(
        APIStatus.Cause(
          reason: reason, message: "Invalid value: \(JSONValue.string(value)): \(fault)", field: "metadata.\(field)"))
    }
    let name = metadata.name
    if name.isEmpty {
      causes.append(
        APIStatus.Cause(
          reason: "FieldValueRequired", message: "Required value: name or generateName is required",
          field: "metadata.name"))
    } else if let fault = isNamespaceKind ? NameRule.fault(inLabel: name) : NameRule.fault(inSubdomain: name) {
      add("name", name, fault)
    }
    for (key, value) in metadata.labels.sorted(by: { $0.key < $1.key }) {
      if let fault = NameRule.fault(inLabelKey: key) { add("labels", key, fault) }
      if let fault = NameRule.fault(inLabelValue: value) { add("labels", value, fault) }
    }
    var size = 0
    for (key, value) in metadata.annotations.sorted(by: { $0.key < $1.key }) {
      if let fault = NameRule.fault(inLabelKey: key.lowercased()) { add("annotations", key, fault) }
      size += key.utf8.count + value.utf8.count
    }
    if size > 256 << 10 {
      causes.append(
        APIStatus.Cause(
          reason: "FieldValueTooLong", message: "Too long: may not be more than 262144 bytes",
          field: "metadata.annotations"))
    }
    for finalizer in metadata.finalizers {
      if let fault = NameRule.fault(inLabelKey: finalizer) { add("finalizers", finalizer, fault) }
    }
    if metadata.ownerReferences.count(where: \.isController) > 1 {
      add("ownerReferences", "", "Only one reference can have Controller set to true")
    }
    return causes
  }
}
