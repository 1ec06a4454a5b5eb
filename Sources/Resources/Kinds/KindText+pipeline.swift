extension KindText {
  static let pipeline = KindText(
    kind: "Pipeline", plural: "pipelines", shortName: "pipe", isNamespaced: true,
    columns: #"""
      - {name: Sinks, type: string, jsonPath: '.spec.to[*].name', description: Where the telemetry goes.}
      - {name: Durability, type: string, priority: 1, jsonPath: .spec.durability, description: What a kill can lose.}
      - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status', description: Whether telemetry flows.}
      - {name: Message, type: string, priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].message', description: What is wrong and what to do.}
      - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
      """#,
    spec: #"""
      type: object
      description: Which readings become telemetry, what happens to them on the way, and where they go.
      required: [to]
      properties:
        from:
          type: object
          default: {}
          description: The readings taken. What is absent does not restrict.
          properties:
            selector: {$use: selector, description: Devices by their labels.}
            models:
              type: array
              maxItems: 64
              x-kubernetes-list-type: atomic
              items: {type: string, minLength: 1, maxLength: 253}
              description: Devices by the names of their models; globs.
            properties:
              type: array
              maxItems: 256
              x-kubernetes-list-type: atomic
              items: {type: string, minLength: 1, maxLength: 63}
              description: Properties by name; globs.
        durability: {type: string, enum: [Checkpoint, Journal], default: Checkpoint, description: 'Checkpoint: a kill loses what stood in open windows. Journal: it loses nothing, for more writes to the disk.'}
        localQuery: {type: string, enum: [Enabled, Disabled], description: 'Whether what comes out is kept to be queried on the gateway. Absent is as the Gateway says, which is Enabled for pipelines that end in windows.'}
        stages:
          type: array
          maxItems: 32
          x-kubernetes-list-type: atomic
          description: What is done to the readings, in this order. Each entry names exactly one stage.
          x-kubernetes-validations:
          - rule: "self.filter(s, has(s.aggregate)).size() == (self.exists(s, has(s.aggregate)) && has(self[self.size() - 1].aggregate) ? 1 : 0)"
            message: aggregate must be the last stage, and the only aggregate
          items:
            type: object
            minProperties: 1
            maxProperties: 1
            properties:
              filter:
                type: object
                minProperties: 1
                description: Lets pass what fits.
                properties:
                  quality:
                    type: array
                    minItems: 1
                    maxItems: 3
                    x-kubernetes-list-type: set
                    items: {type: string, enum: [Good, Uncertain, Bad]}
                    description: The qualities that pass.
                  where: {type: string, minLength: 1, maxLength: 1024, description: 'A condition over value, quality, age in seconds, label(…) and names, as in: value > -40 && value < 125.'}
              range:
                type: object
                x-kubernetes-validations:
                - rule: "!has(self.min) || !has(self.max) || self.min <= self.max"
                  message: min must not be greater than max
                  fieldPath: .min
                description: Drops or clamps numbers outside of bounds.
                properties:
                  min: {type: number, description: The least number within. Absent is the property's minimum.}
                  max: {type: number, description: The greatest number within. Absent is the property's maximum.}
                  outside: {type: string, enum: [Drop, Clamp], description: 'Clamp puts the nearest bound in place, of quality Uncertain. Absent is Drop.'}
              deadband:
                type: object
                description: Drops what hardly differs from the last that passed.
                properties:
                  absolute: {type: number, minimum: 0, description: The least difference that passes.}
                  percent: {type: number, minimum: 0, maximum: 100, description: The same as a share of the property's range.}
                  heartbeat: {$use: period, description: A reading passes anyway after this span.}
                oneOf:
                - required: [absolute]
                - required: [percent]
              reportOnChange:
                type: object
                description: Drops a reading that equals the last that passed in value, type and quality.
                properties:
                  heartbeat: {$use: period, description: A reading passes anyway after this span.}
              dedup:
                type: object
                x-kubernetes-validations:
                - rule: "!has(self.heartbeat) || !has(self.by) || self.by == 'Value'"
                  message: 'heartbeat has no meaning with by: Sample'
                  fieldPath: .heartbeat
                description: Drops a reading that came before.
                properties:
                  by: {type: string, enum: [Value, Sample], description: 'Value: equal to the last that passed. Sample: also of the same source time as one of the last 32, so delivered twice. Absent is Value.'}
                  heartbeat: {$use: period, description: A reading passes anyway after this span.}
              throttle:
                type: object
                required: [every]
                description: Lets one reading pass in each span.
                properties:
                  every: {$use: period, description: The span.}
              sample:
                type: object
                description: Keeps a part of the readings.
                properties:
                  every: {type: integer, minimum: 1, maximum: 1000000, description: The first of so many passes.}
                  interval: {$use: period, description: The first in each span passes; spans are aligned to the clock.}
                oneOf:
                - required: [every]
                - required: [interval]
              swingingDoor:
                type: object
                required: [deviation]
                x-kubernetes-validations:
                - rule: "!has(self.minInterval) || !has(self.maxInterval) || duration(self.minInterval) <= duration(self.maxInterval)"
                  message: minInterval must not be longer than maxInterval
                  fieldPath: .minInterval
                description: Keeps the readings from which the rest follows by straight lines.
                properties:
                  deviation: {type: number, minimum: 0, description: How far a dropped reading may be from the line.}
                  minInterval: {$use: period, description: 'Readings closer to the last that passed are dropped, however far from the line.'}
                  maxInterval: {$use: period, description: A reading passes anyway after this span.}
              derive:
                type: object
                required: [name, expression]
                description: Makes a property out of others of the same device or of a group of devices.
                properties:
                  name: {$use: name, description: The new property.}
                  unit: {type: string, maxLength: 32, description: Its unit.}
                  expression: {type: string, minLength: 1, maxLength: 1024, description: 'How it is computed, as in: power / flow. Over a group: sum(power).'}
                  of:
                    type: object
                    required: [label]
                    description: A property of each group of devices, and not of each device.
                    properties:
                      label: {type: string, minLength: 1, maxLength: 317, description: Devices with the same value of this label are a group.}
                  maxAge: {$use: period, description: A value older than this is not computed with. Absent is any age.}
              convert:
                type: object
                required: [to]
                description: Brings numbers into another unit of the same kind.
                properties:
                  to: {type: string, minLength: 1, maxLength: 32, description: 'The unit, as UCUM spells it: kW, m3/h, Cel, [degF].'}
                  from: {type: string, minLength: 1, maxLength: 32, description: The unit that the readings have. Absent is the property's.}
              rename:
                type: object
                minProperties: 1
                description: Gives properties other names.
                properties:
                  properties: {$use: stringMap, description: New names by old ones.}
                  prefix: {type: string, maxLength: 32, description: What comes before every name.}
                  suffix: {type: string, maxLength: 32, description: What comes after every name.}
              enrich:
                type: object
                required: [labels]
                description: Adds labels to what receivers are told.
                properties:
                  labels: {$use: stringMap, description: 'Values by label; {device}, {model}, {label:KEY} and such are filled in.'}
              alarm:
                type: object
                required: [name]
                x-kubernetes-validations:
                - rule: "has(self.when) != (has(self.above) || has(self.below))"
                  message: give either when, or above or below or both
                - rule: "!has(self.clear) || has(self.when)"
                  message: clear goes with when; beside above and below write hysteresis
                  fieldPath: .clear
                - rule: "!has(self.hysteresis) || !has(self.when)"
                  message: hysteresis goes with above and below; beside when write clear
                  fieldPath: .hysteresis
                description: Raises and clears an alarm.
                properties:
                  name: {$use: name, description: The alarm.}
                  when: {type: string, minLength: 1, maxLength: 1024, description: 'The expression that raises it, as in: value > 80, or over properties: pressure > 4 && !running.'}
                  clear: {type: string, minLength: 1, maxLength: 1024, description: 'The expression that clears it. Absent: when no longer holds.'}
                  above: {type: number, description: Values above it raise the alarm.}
                  below: {type: number, description: Values below it raise the alarm.}
                  hysteresis: {type: number, minimum: 0, description: How far within the bound a value must be to clear it. Absent is 0.}
                  for: {$use: duration, description: How long it must hold. Absent is 0s.}
                  clearFor: {$use: duration, description: How long the clearing must hold. Absent is 0s.}
                  maxAge: {$use: period, description: A property's value older than this is not used. Absent is any age.}
                  severity: {type: string, enum: [Info, Warning, Critical], description: How bad it is. Absent is Warning.}
                  message: {type: string, maxLength: 1024, description: 'What to tell people; {device}, {property}, {label:KEY} and such are filled in.'}
              aggregate:
                type: object
                required: [window, functions]
                description: Makes one record out of the readings of a window.
                x-kubernetes-validations:
                - rule: "has(self.window.tumbling) || has(self.window.hopping) || !(has(self.offset) || has(self.empty) && self.empty != 'Skip' || has(self.late) && self.late == 'Correct')"
                  message: offset, empty and late Correct need a tumbling or hopping window
                - rule: "!has(self.lateness) || duration(self.lateness) == duration('0s') || has(self.window.tumbling) || has(self.window.hopping) || has(self.window.session)"
                  message: 'lateness has no meaning for sliding, count and state windows, which do not wait'
                  fieldPath: .lateness
                - rule: "!has(self.correctFor) || has(self.late) && self.late == 'Correct'"
                  message: correctFor has no meaning unless late is Correct
                  fieldPath: .correctFor
                - rule: "!has(self.durationWhere) || 'duration' in self.functions"
                  message: durationWhere has no meaning without the function duration
                  fieldPath: .durationWhere
                properties:
                  window:
                    type: object
                    minProperties: 1
                    maxProperties: 1
                    description: Names exactly one kind of window.
                    properties:
                      tumbling: {$use: period, description: 'Windows of this length, one after the other.'}
                      hopping:
                        type: object
                        required: [size, every]
                        x-kubernetes-validations:
                        - rule: "duration(self.every) <= duration(self.size)"
                          message: 'every must not be longer than size: readings between the windows would be lost'
                          fieldPath: .every
                        description: Windows of one length that begin at another period.
                        properties:
                          size: {$use: period, description: The length.}
                          every: {$use: period, description: The period.}
                      sliding:
                        type: object
                        required: [size]
                        description: The window that ends at each reading.
                        properties:
                          size: {$use: period, description: The length.}
                      session:
                        type: object
                        required: [gap]
                        x-kubernetes-validations:
                        - rule: "!has(self.max) || duration(self.max) >= duration(self.gap)"
                          message: max must not be shorter than gap
                          fieldPath: .max
                        description: A window for each stretch of readings without a gap.
                        properties:
                          gap: {$use: period, description: The silence that ends it.}
                          max: {$use: period, description: The longest it may become.}
                      count:
                        type: object
                        required: [size]
                        description: A window for each so many readings.
                        properties:
                          size: {type: integer, minimum: 1, maximum: 1000000, description: How many readings.}
                      state:
                        type: object
                        description: A window for as long as the state stays the same.
                        properties:
                          of: {type: string, minLength: 1, maxLength: 1024, description: 'An expression over value; the state is whether it holds. Absent: the state is the value.'}
                  functions:
                    type: array
                    minItems: 1
                    maxItems: 32
                    x-kubernetes-list-type: set
                    items:
                      type: string
                      enum: [mean, min, max, sum, count, first, last, stddev, median, p90, p95, p99, rate, increase, delta, integral, timeWeightedMean, duration, validPercentage]
                    description: What is computed over the window.
                  durationWhere: {type: string, minLength: 1, maxLength: 1024, description: 'What duration measures the time of, as in: value > 80. Absent: the value is not 0.'}
                  offset: {$use: duration, description: How far windows begin after whole multiples of their period since 1970. Absent is none.}
                  lateness: {$use: duration, description: How long a window waits for readings that come late. Absent is none.}
                  time: {type: string, enum: [Event, Processing], description: 'The clock that windows go by. Event: the source time of the readings. Processing: their arrival. Absent is Event.'}
                  late: {type: string, enum: [Drop, Correct], description: 'What becomes of a reading whose window has closed. Drop: it is counted. Correct: the window is put out again with a higher revision. Absent is Drop.'}
                  correctFor: {$use: period, description: 'How long closed windows are kept for Correct. Absent is 60 times their period, at most a week.'}
                  empty: {type: string, enum: [Skip, Emit, Last], description: 'What becomes of a window without readings. Skip: nothing. Emit: a record with a count of 0. Last: the same, repeating the last reading. Absent is Skip.'}
                  by:
                    type: array
                    maxItems: 8
                    x-kubernetes-list-type: set
                    items: {type: string, maxLength: 323, pattern: '^(property|device|label:.+)$'}
                    description: 'What the readings of a window have in common: property, device, label:KEY. Absent is property and device; an empty list is all.'
        to:
          type: array
          minItems: 1
          maxItems: 16
          x-kubernetes-list-type: map
          x-kubernetes-list-map-keys: [name]
          description: The Sinks, in the namespace of this object.
          items:
            type: object
            required: [name]
            properties:
              name: {$use: name, description: The Sink's name.}
      """#,
    status: #"""
      nodes: {$use: nodeCount, description: How many gateways run the pipeline.}
      nodesReady: {$use: nodeCount, description: On how many of them it works.}
      """#)
}
