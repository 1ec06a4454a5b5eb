extension BuiltInKinds {
  public static let namespaces = definition(
    #"""
    spec:
      group: ""
      scope: Cluster
      names: {kind: Namespace, plural: namespaces, singular: namespace, shortNames: [ns]}
      versions:
      - name: v1
        served: true
        subresources: {status: {}}
        additionalPrinterColumns:
        - {name: Status, type: string, jsonPath: .status.phase, description: The status of the namespace.}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
        selectableFields: [{jsonPath: .status.phase}]
        schema:
          openAPIV3Schema:
            type: object
            properties:
              spec:
                type: object
                properties:
                  finalizers: {type: array, items: {type: string}, x-kubernetes-list-type: atomic}
              status: {type: object, x-kubernetes-preserve-unknown-fields: true}
    """#)

  public static let configMaps = definition(
    #"""
    spec:
      group: ""
      scope: Namespaced
      names: {kind: ConfigMap, plural: configmaps, singular: configmap, shortNames: [cm]}
      versions:
      - name: v1
        served: true
        additionalPrinterColumns:
        - {name: Data, type: integer, format: count, jsonPath: '{.data}{.binaryData}', description: How many keys it has.}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
        schema:
          openAPIV3Schema:
            type: object
            description: Texts that programs are configured by. Nothing secret belongs here.
            properties:
              data:
                type: object
                additionalProperties: {type: string}
                description: 'Texts by key. A key consists of letters, digits, -, _ and dots.'
              binaryData:
                type: object
                additionalProperties: {type: string}
                description: 'Bytes in base64 by key; no key of data.'
              immutable: {type: boolean, nullable: true, description: 'Whether data can never change again.'}
    """#)

  public static let secrets = definition(
    #"""
    spec:
      group: ""
      scope: Namespaced
      names: {kind: Secret, plural: secrets, singular: secret}
      versions:
      - name: v1
        served: true
        additionalPrinterColumns:
        - {name: Type, type: string, jsonPath: .type, description: What the data is for.}
        - {name: Data, type: integer, format: count, jsonPath: '{.data}', description: How many keys it has.}
        - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
        selectableFields: [{jsonPath: .type}]
        schema:
          openAPIV3Schema:
            type: object
            description: Credentials. Encrypted on the gateway's disk.
            properties:
              data:
                type: object
                additionalProperties: {type: string}
                description: 'Bytes in base64 by key. A key consists of letters, digits, -, _ and dots.'
              stringData:
                type: object
                additionalProperties: {type: string}
                description: 'Texts by key, merged into data on a write; never stored and never returned.'
              type: {type: string, default: Opaque, description: 'What the data is for; it never changes. kubernetes.io/basic-auth has username and password, kubernetes.io/tls has tls.crt and tls.key.'}
              immutable: {type: boolean, nullable: true, description: 'Whether data can never change again.'}
    """#)
}
