internal import DeviceKit
public import Documents
internal import FileSink
internal import HTTPSink
internal import Logging
internal import MQTTClient
internal import MQTTProtocol
internal import MQTTSink
internal import ModbusProtocol
internal import OTLPSink
internal import RemoteWriteSink
public import Resources
internal import SinkKit
internal import StdoutSink
internal import UdevProtocol

/// The protocols and sinks of this build: the one place that names them. A new one is a line here.
public struct BuiltInPlugins: Sendable {
  let protocols: [any ProtocolPlugin]
  let sinks: [any SinkPlugin]

  /// `protocolState` and `sinkState` are the folders where protocols and sinks keep what they are to know after a restart; nil:
  /// they keep nothing.
  init(
    brokers: BrokerPool, exportDirectory: String, credentials: any CredentialSource, node: String = "",
    protocolState: String? = nil, sinkState: String? = nil, clock: WallClock, logger: Logger
  ) {
    protocols = [
      ModbusPlugin(stateFolder: protocolState, clock: clock),
      MQTTPlugin(brokers: brokers, clock: clock, logger: logger),
      UdevPlugin(clock: clock, logger: logger),
    ]
    sinks = [
      MQTTSinkPlugin(brokers: brokers, node: node, stateFolder: sinkState),
      FileSinkPlugin(folder: exportDirectory, clock: clock), StdoutSinkPlugin(),
      HTTPSinkPlugin(credentials: credentials, clock: clock),
      RemoteWriteSinkPlugin(credentials: credentials, clock: clock),
      OTLPSinkPlugin(credentials: credentials, clock: clock),
    ]
  }

  /// For what the plugins say of themselves and of models, without anything to serve.
  static var forSchemas: BuiltInPlugins {
    let logger = Logger(label: "selvedge.plugins")
    return BuiltInPlugins(
      brokers: BrokerPool(logger: logger), exportDirectory: ".", credentials: NoCredentials(), clock: .system,
      logger: logger)
  }

  /// The CRDs, composed from the common part and what each protocol and sink adds.
  public static func customResourceDefinitions() throws -> [JSONValue] {
    let plugins = forSchemas
    return try CRDComposer.customResourceDefinitions(
      protocols: plugins.protocols.map { ($0.name, $0.schema.connection, $0.schema.property, $0.schema.discovery) },
      sinks: plugins.sinks.map { ($0.name, $0.schema) },
      models: Dictionary(
        plugins.protocols.compactMap { plugin in plugin.schema.model.map { (plugin.name, $0) } },
        uniquingKeysWith: { first, _ in first }),
      servers: Dictionary(
        plugins.protocols.compactMap { plugin in plugin.schema.server.map { (plugin.name, $0) } },
        uniquingKeysWith: { first, _ in first }))
  }

  /// The kinds that the CRDs define.
  public static func definitions() throws -> [ResourceDefinition] {
    try customResourceDefinitions().compactMap { ResourceDefinition(crd: $0) }
  }
}

/// For the schemas alone: nothing is ever sent.
private struct NoCredentials: CredentialSource {
  func secret(_ name: String, namespace: String, field: String) throws(SinkError) -> [String: [UInt8]] {
    throw SinkError(reason: "SecretNotFound", message: "\(field): there are no Secrets here")
  }

  func file(_ path: String, field: String) throws(SinkError) -> [UInt8] {
    throw SinkError(reason: "FileNotReadable", message: "\(field): there are no files here")
  }
}
