internal import DeviceKit
public import Documents
internal import FileSink
internal import Logging
internal import MQTTClient
internal import MQTTProtocol
internal import MQTTSink
internal import ModbusProtocol
public import Resources
internal import SinkKit
internal import StdoutSink
internal import UdevProtocol

/// The protocols and sinks of this build: the one place that names them. A new one is a line here.
public struct BuiltInPlugins: Sendable {
  let protocols: [any ProtocolPlugin]
  let sinks: [any SinkPlugin]

  init(brokers: BrokerPool, exportDirectory: String, clock: WallClock, logger: Logger) {
    protocols = [
      ModbusPlugin(clock: clock),
      MQTTPlugin(brokers: brokers, clock: clock, logger: logger),
      UdevPlugin(clock: clock, logger: logger),
    ]
    sinks = [
      MQTTSinkPlugin(brokers: brokers), FileSinkPlugin(folder: exportDirectory, clock: clock), StdoutSinkPlugin(),
    ]
  }

  /// The CRDs, composed from the common part and what each protocol and sink adds.
  public static func customResourceDefinitions() throws -> [JSONValue] {
    let logger = Logger(label: "selvedge.plugins")
    let plugins = BuiltInPlugins(
      brokers: BrokerPool(logger: logger), exportDirectory: ".", clock: .system, logger: logger)
    return try CRDComposer.customResourceDefinitions(
      protocols: plugins.protocols.map { ($0.name, $0.schema.connection, $0.schema.property, $0.schema.discovery) },
      sinks: plugins.sinks.map { ($0.name, $0.schema) },
      models: Dictionary(
        plugins.protocols.compactMap { plugin in plugin.schema.model.map { (plugin.name, $0) } },
        uniquingKeysWith: { first, _ in first }))
  }

  /// The kinds that the CRDs define.
  public static func definitions() throws -> [ResourceDefinition] {
    try customResourceDefinitions().compactMap { ResourceDefinition(crd: $0) }
  }
}
