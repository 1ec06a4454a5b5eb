public import DeviceKit
internal import Documents
public import Telemetry
public import TwinStore

/// The way of a reading: from the sessions into the twins and on into the pipelines.
public final class GatewayFeed: DeviceFeed {
  private let twins: TwinStore
  private let telemetry: TelemetryEngine
  private let board: ConnectionBoard
  private let onTransition: @Sendable (DeviceKey, _ from: ConnectionState?, _ to: ConnectionState) -> Void

  /// `onTransition` is told when a device's link flips.
  public init(
    twins: TwinStore, telemetry: TelemetryEngine, board: ConnectionBoard,
    onTransition: @escaping @Sendable (DeviceKey, _ from: ConnectionState?, _ to: ConnectionState) -> Void
  ) {
    self.twins = twins
    self.telemetry = telemetry
    self.board = board
    self.onTransition = onTransition
  }

  public func deliver(_ batch: SampleBatch) async {
    twins.ingest(batch)
    await telemetry.ingest(batch)
  }

  public func connection(of device: DeviceKey, is state: ConnectionState) {
    let previous = board.set(device, state)
    guard previous != state else { return }
    if previous == .connected || state == .connected { telemetry.link(isLost: state != .connected) }
    twins.connection(device, isConnected: state == .connected)
    onTransition(device, previous, state)
  }
}
