public import DeviceKit
internal import HTTPDelivery
public import SinkKit

/// The sink `prometheusRemoteWrite`: samples to Prometheus, VictoriaMetrics, Mimir, Thanos and others.
public struct RemoteWriteSinkPlugin: SinkPlugin {
  public let name = "prometheusRemoteWrite"
  private let credentials: any CredentialSource
  private let clock: WallClock

  public init(credentials: any CredentialSource, clock: WallClock) {
    self.credentials = credentials
    self.clock = clock
  }

  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    let specification = try RemoteWriteSpecification(request.specification, namespace: request.namespace)
    let receiver = Receiver(specification.receiver, credentials: credentials, clock: clock)
    let writer = RemoteWriteWriter(specification, receiver: receiver)
    return PartedWriter(
      concurrency: specification.receiver.concurrency, deliver: { await writer.deliver($0) },
      close: { await receiver.close() })
  }

  public var schema: String {
    """
    type: object
    description: Writes samples by Prometheus remote write.
    required: [url]
    x-kubernetes-validations:
    \(ReceiverSchema.rules(addressField: "url", indent: 0))
    properties:
    \(ReceiverSchema.properties(
      addressField: "url", addressDescription: "The receiver, such as http://prometheus:9090/api/v1/write.", indent: 2))
      version:
        type: integer
        minimum: 1
        maximum: 2
        default: 1
        description: The protocol's version. With 2 the gateway falls back to 1 where the receiver does not know 2.
      name:
        type: string
        minLength: 1
        maxLength: 256
        default: '{property}'
        description: 'Template of the metric name: {property}, {device}, {model}, {namespace}, {node}, {unit}, {pipeline}, {label:KEY}, {field}. Without {field} every field but value is appended, as in temperature_mean.'
      labels:
        type: object
        maxProperties: 32
        additionalProperties: {type: string, maxLength: 256}
        description: 'Templates of labels besides namespace, device, node, model and pipeline, or in place of one of these; one that is empty leaves the label out.'
      counters:
        type: array
        maxItems: 64
        items: {type: string, minLength: 1, maxLength: 256}
        description: 'Properties that count, such as energy-*: written with the type counter and the time since which they count.'
      utf8Names: {type: boolean, default: false, description: 'Whether names keep characters that older Prometheus versions do not know; otherwise each becomes an underscore.'}
    """
  }
}
