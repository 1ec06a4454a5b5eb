public import Documents
public import Resources

/// Two small kinds that exercise what the store does for any kind.
public enum TestKinds {
  public static let widgets = ResourceName(group: "test.dev", plural: "widgets")
  public static let racks = ResourceName(group: "test.dev", plural: "racks")
  public static let namespaces = BuiltInKinds.namespaces.name
  public static let events = BuiltInKinds.events.name

  public static let widgetCRD: JSONValue = [
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": ["name": "widgets.test.dev"],
    "spec": [
      "group": "test.dev", "scope": "Namespaced",
      "names": ["kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"],
      "versions": [
        [
          "name": "v1", "served": true, "storage": true, "subresources": ["status": [:]],
          "selectableFields": [["jsonPath": ".spec.colour"]],
          "schema": [
            "openAPIV3Schema": [
              "type": "object",
              "properties": [
                "spec": [
                  "type": "object",
                  "properties": [
                    "colour": ["type": "string", "enum": ["red", "green"], "default": "red"],
                    "size": ["type": "integer", "minimum": 1, "maximum": 10],
                    "extra": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
                    "parts": [
                      "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                      "items": [
                        "type": "object", "required": ["name"],
                        "properties": ["name": ["type": "string"], "count": ["type": "integer"]],
                      ],
                    ],
                    "tags": ["type": "array", "x-kubernetes-list-type": "set", "items": ["type": "string"]],
                    "steps": ["type": "array", "items": ["type": "string"]],
                  ],
                ],
                "status": [
                  "type": "object", "properties": ["phase": ["type": "string"], "ready": ["type": "boolean"]],
                ],
              ],
            ]
          ],
        ]
      ],
    ],
  ]
  public static let rackCRD: JSONValue = [
    "metadata": ["name": "racks.test.dev"],
    "spec": [
      "group": "test.dev", "scope": "Cluster", "names": ["kind": "Rack", "plural": "racks"],
      "versions": [
        [
          "name": "v1",
          "schema": [
            "openAPIV3Schema": [
              "type": "object",
              "properties": ["spec": ["type": "object", "properties": ["rows": ["type": "integer"]]]],
            ]
          ],
        ]
      ],
    ],
  ]
  public static let crds = [widgetCRD, rackCRD]
  public static let definitions = crds.compactMap { ResourceDefinition(crd: $0) }

  public static func widget(_ name: String, _ spec: JSONValue = [:], labels: [String: String] = [:]) -> JSONValue {
    var object: JSONValue = ["apiVersion": "test.dev/v1", "kind": "Widget", "spec": spec]
    object.metadata.name = name
    object.metadata.labels = labels
    return object
  }
}
