internal import Controllers
internal import DeviceKit
internal import Documents
internal import Logging
internal import MQTTClient
internal import ResourceStore
internal import Resources
internal import ServiceLifecycle
internal import Telemetry
internal import TwinStore
internal import UnixSignals

/// One gateway with its embedded API: everything is put together here and nowhere else.
public enum Gateway {
  /// Runs until SIGTERM or SIGINT, then stops in order: sessions end, windows and spools are written, the twins' last
  /// values committed.
  ///
  /// Throws ``StartError`` for what the person who starts it can mend.
  public static func run(_ configuration: GatewayConfiguration) async throws {
    LoggingSystem.bootstrap { label in
      LogOutput(label: label, level: configuration.logLevel, format: configuration.logFormat)
    }
    let logger = Logger(label: "selvedge")
    let parts = try GatewayParts(configuration, logger: logger)
    logger.notice(
      "selvedge starts",
      metadata: [
        "version": "\(GatewayVersion.text)", "node": "\(configuration.nodeName)",
        "data": "\(configuration.dataDirectory)",
      ])
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: try parts.services().map { .init(service: $0) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    do {
      try await group.run()
    } catch let error {
      throw StartError.describing(error, listen: configuration.listen)
    }
    await parts.close()
    logger.notice("selvedge has stopped")
  }
}
