public import DeviceKit
internal import HTTPDelivery
public import SinkKit

/// The sink `otlp`: metrics to an OpenTelemetry collector, or to whatever takes OTLP/HTTP.
public struct OTLPSinkPlugin: SinkPlugin {
  public let name = "otlp"
  private let credentials: any CredentialSource
  private let clock: WallClock

  public init(credentials: any CredentialSource, clock: WallClock) {
    self.credentials = credentials
    self.clock = clock
  }

  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    let specification = try OTLPSpecification(request.specification, namespace: request.namespace)
    let receiver = Receiver(specification.receiver, credentials: credentials, clock: clock)
    let writer = OTLPWriter(specification, receiver: receiver)
    return PartedWriter(
      concurrency: specification.receiver.concurrency, deliver: { await writer.deliver($0) },
      close: { await receiver.close() })
  }

  public var schema: String {
    """
    type: object
    description: Exports metrics by OTLP over HTTP, in protobuf.
    required: [endpoint]
    x-kubernetes-validations:
    \(ReceiverSchema.rules(addressField: "endpoint", indent: 0))
    properties:
    \(ReceiverSchema.properties(
      addressField: "endpoint",
      addressDescription: "The receiver, such as http://collector:4318; /v1/metrics is appended where it is not there.",
      indent: 2))
      compression: {type: string, enum: [none, gzip, zstd], default: gzip, description: How the body is compressed.}
      name:
        type: string
        minLength: 1
        maxLength: 256
        default: '{property}'
        description: 'Template of the metric name: {property}, {device}, {model}, {namespace}, {node}, {unit}, {pipeline}, {label:KEY}, {field}. Without {field} every field but value is appended, as in temperature.mean.'
      attributes:
        type: object
        maxProperties: 32
        additionalProperties: {type: string, maxLength: 256}
        description: 'Templates of attributes of data points besides selvedge.pipeline; one that is empty leaves the attribute out.'
      resource:
        type: object
        maxProperties: 32
        additionalProperties: {type: string, maxLength: 256}
        description: 'Templates of attributes of the resource besides service.name, host.name, device.id, device.model.identifier and selvedge.namespace, or in place of one of these.'
      counters:
        type: array
        maxItems: 64
        items: {type: string, minLength: 1, maxLength: 256}
        description: 'Properties that count, such as energy-*: exported as monotonic cumulative sums.'
    """
  }
}
