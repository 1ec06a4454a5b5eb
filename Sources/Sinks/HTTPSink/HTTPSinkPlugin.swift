public import DeviceKit
internal import HTTPDelivery
public import SinkKit

/// The sink `http`: batches posted as JSON or as InfluxDB line protocol.
public struct HTTPSinkPlugin: SinkPlugin {
  public let name = "http"
  private let credentials: any CredentialSource
  private let clock: WallClock

  public init(credentials: any CredentialSource, clock: WallClock) {
    self.credentials = credentials
    self.clock = clock
  }

  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    let specification = try HTTPSinkSpecification(request.specification, namespace: request.namespace)
    let receiver = Receiver(
      specification.receiver, credentials: credentials,
      tokenScheme: specification.target.isVersion2 ? "Token" : "Bearer", clock: clock)
    let writer = HTTPSinkWriter(specification: specification, receiver: receiver)
    return PartedWriter(
      concurrency: specification.receiver.concurrency, deliver: { await writer.deliver($0) },
      close: { await receiver.close() })
  }

  public var schema: String {
    """
    type: object
    description: Posts each batch as JSON or as InfluxDB line protocol.
    required: [url]
    x-kubernetes-validations:
    \(ReceiverSchema.rules(addressField: "url", indent: 0))
    - rule: "!has(self.influx) || self.format == 'influx'"
      message: 'is for format: influx only'
      fieldPath: .influx
    properties:
    \(ReceiverSchema.properties(
      addressField: "url", addressDescription: "Where batches are posted.", indent: 2))
      format:
        type: string
        enum: [json, ndjson, influx]
        default: json
        description: json posts one array of objects, one a record; ndjson one object a line; influx line protocol.
      compression: {type: string, enum: [none, gzip, zstd], default: none, description: How the body is compressed.}
      influx:
        type: object
        description: How line protocol is made, and where in an InfluxDB it goes.
        x-kubernetes-validations:
        - rule: "!has(self.database) || (!has(self.bucket) && !has(self.org))"
          message: database is for InfluxDB 1, org and bucket are for InfluxDB 2
        - rule: "has(self.bucket) == has(self.org)"
          message: org and bucket go together
        - rule: "!has(self.retentionPolicy) || has(self.database)"
          message: retentionPolicy needs database
        properties:
          database: {type: string, minLength: 1, maxLength: 256, description: 'InfluxDB 1: the database; /write is appended to the URL.'}
          retentionPolicy: {type: string, minLength: 1, maxLength: 256, description: 'InfluxDB 1: the retention policy where it is not the standard one.'}
          org: {type: string, minLength: 1, maxLength: 256, description: 'InfluxDB 2: the organisation; /api/v2/write is appended to the URL.'}
          bucket: {type: string, minLength: 1, maxLength: 256, description: 'InfluxDB 2: the bucket.'}
          precision: {type: string, enum: [ns, us, ms, s], default: ns, description: The unit of times. Records of a series that fall into the same unit replace each other.}
          measurement: {type: string, minLength: 1, maxLength: 256, default: '{property}', description: 'Template of the measurement: {property}, {device}, {model}, {namespace}, {node}, {unit}, {pipeline}, {label:KEY}.'}
          tags:
            type: object
            maxProperties: 32
            additionalProperties: {type: string, maxLength: 256}
            description: 'Templates of further tags; one that is empty leaves the tag out.'
    """
  }
}
