extension KindText {
  static let gateway = KindText(
    kind: "Gateway", plural: "gateways", shortName: "sgw", isNamespaced: false,
    columns: #"""
      - {name: Version, type: string, jsonPath: .status.version, description: The version that runs.}
      - {name: Devices, type: integer, jsonPath: .status.devices.total, description: How many Devices the gateway serves.}
      - {name: Connected, type: integer, jsonPath: .status.devices.connected, description: How many of them answer.}
      - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: Whether the gateway works.}
      - {name: Started, type: date, jsonPath: .status.startTime, description: Since the gateway started.}
      - {name: Hostname, type: string, priority: 1, jsonPath: .status.node.hostname, description: The machine's own name.}
      - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      """#,
    spec: #"""
      type: object
      description: What a person wants of the gateway on the node.
      properties:
        localQuery:
          type: object
          description: What of the pipelines' output is kept on this node to be queried, and for how long.
          properties:
            keep: {type: string, enum: [Windows, Everything, Nothing], description: 'Windows: what comes of pipelines that end in windows, unless a pipeline says otherwise. Absent is Windows.'}
            maxAge: {$use: period, description: 'What is older goes. Absent is 6h.'}
            maxBytes: {type: string, maxLength: 16, pattern: '^[1-9][0-9]{0,5}(Mi|Gi)$', description: 'The most room on disk, in Mi or Gi. Absent is 64Mi.'}
        servers:
          type: array
          maxItems: 8
          x-kubernetes-list-type: map
          x-kubernetes-list-map-keys: [name]
          description: Shows properties of this node's Devices to the PLC or SCADA beside it, and takes its wishes.
          items:
            type: object
            required: [name]
            properties:
              name: {$use: name, description: The server's name.}
        remoteDesired:
          type: object
          description: Lets the cloud wish values of this node's Devices, by messages to TOPICPREFIX/NAMESPACE/DEVICE/desired. Absent is nobody.
          required: [brokerRef, topicPrefix]
          properties:
            brokerRef:
              type: object
              required: [name]
              x-kubernetes-map-type: atomic
              description: The Broker that the messages come from.
              properties:
                namespace: {$use: name, description: The Broker's namespace. Absent is default.}
                name: {$use: name, description: The Broker's name.}
            topicPrefix:
              type: string
              minLength: 1
              maxLength: 512
              pattern: ^[^/#+]+(/[^/#+]+)*$
              description: What stands before the Device's namespace and name in the topics; without wildcards.
      """#,
    status: #"""
      version: {type: string, maxLength: 64, description: The version of the gateway that runs on the node.}
      startTime: {type: string, format: date-time, description: When the gateway started.}
      heartbeatTime: {type: string, format: date-time, description: When the gateway last wrote this status.}
      node:
        type: object
        description: What the machine says of itself.
        properties:
          hostname: {type: string, maxLength: 253, description: The machine's own name.}
          operatingSystem: {type: string, maxLength: 128, description: The distribution and its version.}
          kernelVersion: {type: string, maxLength: 128, description: The kernel's version.}
          architecture: {type: string, maxLength: 32, description: The processor's architecture.}
          processors: {type: integer, format: int32, minimum: 0, description: How many processors.}
          memoryBytes: {type: integer, format: int64, minimum: 0, description: The machine's memory.}
      devices:
        type: object
        description: How many Devices the gateway serves.
        properties:
          total: {$use: nodeCount, description: All that this gateway serves.}
          connected: {$use: nodeCount, description: Those that answer.}
      twinsAddress: {type: string, maxLength: 300, description: 'Where the cluster asks for the twins of this gateway, HOST:PORT; absent where it may not.'}
      remoteDesired:
        type: object
        description: How it stands with the cloud's wishes; absent where nobody may send any.
        properties:
          state: {type: string, maxLength: 64, description: 'Listening, Connecting or Disconnected.'}
          message: {type: string, maxLength: 1024, description: The same for people.}
      servers:
        type: array
        maxItems: 8
        x-kubernetes-list-type: map
        x-kubernetes-list-map-keys: [name]
        description: Each of spec.servers as it runs on this node.
        items:
          type: object
          required: [name]
          properties:
            name: {type: string, maxLength: 63, description: The server's name.}
            protocol: {type: string, maxLength: 63, description: What it speaks.}
            ready: {type: boolean, description: Whether it listens.}
            state: {type: string, maxLength: 64, description: 'Starting, Serving or Failed.'}
            reason: {type: string, maxLength: 64, description: Why; one word in CamelCase.}
            message: {type: string, maxLength: 1024, description: What is wrong and what to do.}
            address: {type: string, maxLength: 64, description: Where it listens.}
            counters:
              type: object
              maxProperties: 64
              additionalProperties: {type: integer, format: int64}
              description: Counts since the server started, and its clients, at most five minutes old; /metrics has them as they are.
      brokers: {$use: nodeStates, description: Each Broker as seen from this node.}
      sinks: {$use: nodeStates, description: Each Sink as seen from this node.}
      pipelines: {$use: nodeStates, description: Each Pipeline as it runs on this node.}
      discoveries: {$use: nodeStates, description: Each Discovery as it runs on this node.}
      """#, mayLackSpec: true)
}
