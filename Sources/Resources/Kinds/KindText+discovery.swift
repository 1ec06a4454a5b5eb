extension KindText {
  static let discovery = KindText(
    kind: "Discovery", plural: "discoveries", shortName: "disc", isNamespaced: true,
    columns: #"""
      - {name: Found, type: integer, jsonPath: .status.found, description: How many devices the last look showed.}
      - {name: Admission, type: string, jsonPath: .spec.admission, description: Whether found devices wait for a person.}
      - {name: Every, type: string, priority: 1, jsonPath: .spec.every, description: How often the full set is looked for.}
      - {name: Last-Scan, type: date, jsonPath: .status.lastScanTime, description: Since the last complete look.}
      - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: Whether looking works.}
      - {name: Message, type: string, priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: What is wrong and what to do.}
      - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      """#,
    spec: #"""
      type: object
      description: Where and how devices are looked for, and what their Devices are to be. Names exactly one protocol.
      properties:
        every: {$use: period, default: 15m, description: How often the full set is looked for anew.}
        nodeSelector: {$use: selector, description: 'The gateways that look, by the labels of their Gateway objects. Absent: every gateway.'}
        suspend: {type: boolean, description: 'Looks for nothing while true, and removes no Device. A look that is under way is cancelled.'}
        template:
          type: object
          description: What every Device of this Discovery begins with.
          properties:
            metadata:
              type: object
              description: Labels and annotations of the Devices.
              properties:
                labels: {$use: stringMap, description: Labels.}
                annotations: {$use: stringMap, description: Annotations.}
        admission: {type: string, enum: [Automatic, Manual], default: Automatic, description: 'Manual: a Device waits with spec.admitted false until a person sets it to true.'}
        gracePeriod: {$use: duration, default: 5m, description: 'How long a vanished device stays, Connected=False, before its Device goes.'}
      """#,
    status: #"""
      found: {$use: nodeCount, description: How many devices the last complete look showed.}
      waiting: {$use: nodeCount, description: How many of them wait to be admitted.}
      lastScanTime: {type: string, format: date-time, description: When the last complete look ended.}
      progress:
        type: object
        description: How far the look that is under way, or the last one, has come; as of the last ten seconds.
        properties:
          done: {$use: nodeCount, description: 'Hosts that have been looked at; on serial lines, units at a speed.'}
          total: {$use: nodeCount, description: How many there are.}
          found: {$use: nodeCount, description: How many devices they showed so far.}
          errors: {$use: nodeCount, description: 'How many of them broke off, or were named and could not be reached.'}
      nodes: {$use: nodeCount, description: How many gateways look.}
      nodesReady: {$use: nodeCount, description: On how many of them looking works.}
      warnings:
        type: array
        maxItems: 32
        x-kubernetes-list-type: atomic
        description: What the last look could not look at.
        items:
          type: object
          required: [message]
          properties:
            message: {type: string, maxLength: 1024, description: What was left out and why.}
      """#)
}
