internal import Documents
public import MQTTClient
public import SinkKit

/// The sink `mqtt`: telemetry to an MQTT broker, as JSON or as Sparkplug B.
public final class MQTTSinkPlugin: SinkPlugin {
  private let brokers: BrokerPool
  private let node: String
  private let stateFolder: String?
  public let name = "mqtt"

  /// - Parameters:
  ///   - node: the gateway's name, for `{node}` in a Sparkplug edge node's ID.
  ///   - stateFolder: where Sparkplug's session numbers are kept over restarts; nil: they are not.
  public init(brokers: BrokerPool, node: String = "", stateFolder: String? = nil) {
    self.brokers = brokers
    self.node = node
    self.stateFolder = stateFolder
  }

  /// `request.name` is `namespace/name` of the Sink; its `brokerRef` is looked up in that namespace.
  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    let specification = try MQTTSinkSpecification(request.specification)
    let namespace = request.name.contains("/") ? request.name.prefix { $0 != "/" } : "default"
    let broker = "\(namespace)/\(specification.broker)"
    let purpose = request.name.split(separator: "/").joined(separator: "-")
    switch specification.content {
    case .sparkplug(let sparkplug):
      return SparkplugWriter(
        sparkplug, node: node, brokers: brokers, broker: broker, purpose: purpose,
        numberPath: stateFolder.map { "\($0)/\(purpose).bdseq" })
    case .json(let json) where json.qos == 2:
      let connection = brokers.dedicatedConnection(named: broker) { configuration in
        var own = configuration
        own.clientID = (configuration.clientID ?? "selvedge") + "-" + purpose
        own.cleanSession = false
        own.endsFormerSession = true
        return own
      }
      return ExactlyOnceWriter(connection: connection, messages: json)
    case .json(let json):
      return MQTTSinkWriter(connection: brokers.connection(named: broker), messages: json)
    }
  }

  public let schema = MQTTSinkSpecification.schema
}
