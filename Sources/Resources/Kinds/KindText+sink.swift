extension KindText {
  static let sink = KindText(
    kind: "Sink", plural: "sinks", shortName: "snk", isNamespaced: true,
    columns: #"""
      - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: Whether telemetry arrives.}
      - {name: Reason, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].reason', description: Why it does or does not.}
      - {name: When-Full, type: string, priority: 1, jsonPath: .spec.buffer.whenFull, description: What a full buffer does.}
      - {name: Message, type: string, priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: What is wrong and what to do.}
      - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      """#,
    spec: #"""
      type: object
      description: Where telemetry goes. Names exactly one kind of receiver.
      properties:
        batch:
          type: object
          default: {}
          description: How many samples travel together.
          properties:
            maxSamples: {type: integer, minimum: 1, maximum: 100000, default: 500, description: A batch goes when it has so many samples.}
            maxDelay: {$use: duration, default: 1s, description: A batch goes when its oldest sample has waited so long.}
            poisonAfter: {type: integer, minimum: 1, maximum: 100, default: 3, description: A record that the receiver refuses so often in the same words is set aside. The others go on.}
        buffer:
          type: object
          default: {}
          description: What is kept on disk while the receiver is away.
          properties:
            maxBytes: {$use: bytes, default: 256Mi, description: The most room on disk.}
            maxAge: {$use: period, default: 168h, description: Older samples are dropped.}
            whenFull: {type: string, enum: [DropOldest, DropNewest, Block], default: DropOldest, description: What gives way when there is no room.}
            syncInterval:
              type: string
              maxLength: 32
              pattern: ^([0-9]{1,5}(h|m|s|ms)){1,4}$
              default: 100ms
              description: How long records wait for the fsync that they share. A loss of power costs at most twice that.
              x-kubernetes-validations:
              - rule: "duration(self) >= duration('100ms') && duration(self) <= duration('1m')"
                message: must be between 100ms and 1m
      """#,
    status: #"""
      nodes: {$use: nodeCount, description: How many gateways send.}
      nodesReady: {$use: nodeCount, description: On how many of them the receiver answers.}
      quarantined: {$use: nodeCount, description: Records that the receiver refuses for good and that are set aside.}
      """#)
}
