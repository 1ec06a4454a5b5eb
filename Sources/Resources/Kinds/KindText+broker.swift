extension KindText {
  static let broker = KindText(
    kind: "Broker", plural: "brokers", shortName: "brk", isNamespaced: true,
    columns: #"""
      - {name: URL, type: string, jsonPath: .spec.url, description: The broker's address.}
      - {name: Connected, type: string, jsonPath: '.status.conditions[?(@.type=="Connected")].status', description: Whether the gateways are connected.}
      - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: The summary.}
      - {name: Message, type: string, priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: What is wrong and what to do.}
      - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      """#,
    spec: #"""
      type: object
      description: An MQTT broker that devices and sinks share.
      required: [url]
      x-kubernetes-validations:
      - rule: "!has(self.tls) || self.url.startsWith('mqtts://')"
        message: tls is for mqtts:// only
        fieldPath: .tls
      - rule: "!has(self.credentialsFile) || !has(self.credentialsSecretRef)"
        message: credentialsFile and credentialsSecretRef exclude each other
      properties:
        url:
          type: string
          maxLength: 512
          pattern: ^mqtts?://[^/@?#\s]+/?$
          description: 'mqtt://host[:port] or mqtts://host[:port]; never with credentials in it.'
        tls:
          type: object
          description: How the broker is verified and how the gateway shows who it is. For mqtts only.
          x-kubernetes-validations:
          - rule: "!has(self.caFile) || !has(self.caSecretRef)"
            message: caFile and caSecretRef exclude each other
          - rule: "has(self.certificateFile) == has(self.keyFile)"
            message: certificateFile and keyFile go together
          - rule: "!has(self.certificateFile) || !has(self.certificateSecretRef)"
            message: certificateFile and certificateSecretRef exclude each other
          properties:
            caFile: {$use: file, description: Certificates (PEM) that sign the broker's own; under a configured folder.}
            caSecretRef: {$use: secretReference, description: 'The same from a Secret, key ca.crt.'}
            certificateFile: {$use: file, description: The gateway's certificate chain (PEM); under a configured folder.}
            keyFile: {$use: file, description: The certificate's key (PEM); under a configured folder.}
            certificateSecretRef: {$use: secretReference, description: 'Certificate and key from a Secret, keys tls.crt and tls.key.'}
            serverName: {type: string, maxLength: 253, description: The name that the broker's certificate must carry where it is not the URL's host.}
            insecureSkipVerify: {type: boolean, default: false, description: Whether to take any certificate. For trials only.}
        credentialsSecretRef: {$use: secretReference, description: 'User name and password from a Secret, keys username and password.'}
        credentialsFile: {$use: file, description: 'The same from a file with the lines username and password; under a configured folder.'}
        protocolVersion: {type: integer, enum: [4, 5], default: 4, description: '4 is MQTT 3.1.1, 5 is MQTT 5.'}
        sessionExpiry: {$use: period, default: 24h, description: How long the broker keeps the gateway's session after a disconnection. MQTT 5 only; with 3.1.1 the broker's own setting holds.}
        clientID: {type: string, maxLength: 64, description: 'The start of the client ID; the node name and a word for the use follow. Absent: selvedge.'}
        keepAlive: {$use: period, default: 30s, description: The longest silence before the connection is probed.}
      """#,
    status: #"""
      nodes: {$use: nodeCount, description: How many gateways use the broker.}
      nodesReady: {$use: nodeCount, description: How many of them are connected.}
      """#)
}
