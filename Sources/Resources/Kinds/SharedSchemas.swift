internal import Documents
internal import YAML

/// Pieces of schema that several kinds share, by the name that `$use` gives.
enum SharedSchemas {
  static let text = #"""
    duration:
      type: string
      maxLength: 32
      pattern: ^([0-9]{1,5}(h|m|s|ms)){1,4}$
    period:
      type: string
      maxLength: 32
      pattern: ^([0-9]{1,5}(h|m|s|ms)){1,4}$
      x-kubernetes-validations:
      - rule: "duration(self) > duration('0s')"
        message: must be longer than 0s
    bytes:
      x-kubernetes-int-or-string: true
      pattern: ^[0-9]{1,15}(Ki|Mi|Gi|Ti|k|M|G|T)?$
      minimum: 0
    name:
      type: string
      minLength: 1
      maxLength: 63
      pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
      not: {enum: ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]}
    nameReference:
      type: object
      required: [name]
      x-kubernetes-map-type: atomic
      properties:
        name:
          $use: name
          description: The object's name.
    secretReference:
      type: object
      required: [name]
      x-kubernetes-map-type: atomic
      properties:
        name:
          type: string
          minLength: 1
          maxLength: 253
          description: The Secret's name, in the namespace of this object.
        key:
          type: string
          maxLength: 253
          description: The key within the Secret where it is not the usual one.
    file:
      type: string
      minLength: 1
      maxLength: 1024
    stringMap:
      type: object
      maxProperties: 64
      additionalProperties: {type: string, maxLength: 1024}
    selector:
      type: object
      x-kubernetes-map-type: atomic
      properties:
        matchLabels:
          type: object
          maxProperties: 64
          additionalProperties: {type: string, maxLength: 63}
          description: Labels that must have exactly these values.
        matchExpressions:
          type: array
          maxItems: 64
          x-kubernetes-list-type: atomic
          description: Further requirements; all must hold.
          items:
            type: object
            required: [key, operator]
            properties:
              key: {type: string, minLength: 1, maxLength: 317, description: The label.}
              operator: {type: string, enum: [In, NotIn, Exists, DoesNotExist], description: How the label relates to the values.}
              values:
                type: array
                maxItems: 64
                x-kubernetes-list-type: atomic
                items: {type: string, maxLength: 63}
                description: The values; none for Exists and DoesNotExist.
            x-kubernetes-validations:
            - rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)"
              message: In and NotIn need values; Exists and DoesNotExist take none
    conditions:
      type: array
      maxItems: 32
      x-kubernetes-list-type: map
      x-kubernetes-list-map-keys: [type]
      description: The latest observations, one of each type.
      items:
        type: object
        required: [type, status, lastTransitionTime, reason, message]
        properties:
          type:
            type: string
            maxLength: 316
            pattern: ^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$
            description: What is observed; in CamelCase.
          status: {type: string, enum: ["True", "False", Unknown], description: Whether it holds.}
          observedGeneration: {type: integer, format: int64, minimum: 0, description: The metadata.generation that was looked at.}
          lastTransitionTime: {type: string, format: date-time, description: When the status last changed.}
          reason:
            type: string
            minLength: 1
            maxLength: 1024
            pattern: ^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$
            description: Why, as one word in CamelCase.
          message: {type: string, maxLength: 32768, description: Why; for people.}
    nodeStates:
      type: array
      maxItems: 1024
      x-kubernetes-list-type: map
      x-kubernetes-list-map-keys: [namespace, name]
      items:
        type: object
        required: [namespace, name]
        properties:
          namespace: {type: string, maxLength: 63, description: The object's namespace.}
          name: {type: string, maxLength: 253, description: The object's name.}
          ready: {type: boolean, description: Whether it works on this node.}
          state: {type: string, maxLength: 64, description: How it is; one word in CamelCase.}
          message: {type: string, maxLength: 1024, description: What is wrong and what to do.}
          since: {type: string, format: date-time, description: When the state began.}
          counters:
            type: object
            maxProperties: 64
            additionalProperties: {type: integer, format: int64}
            description: Counts since the gateway started, by name.
    nodeCount:
      type: integer
      format: int32
      minimum: 0
    """#

  static func parsed() throws -> [String: JSONValue] { try YAMLDocument.one(in: text).object ?? [:] }
}
