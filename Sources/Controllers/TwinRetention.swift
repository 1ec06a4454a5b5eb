internal import DeviceKit
public import Logging
internal import Resources
public import TwinStore

/// Removes the twins of devices that are long gone: their Device was deleted while the gateway was down, or its deletion
/// was not seen.
///
/// A twin without a Device is kept for a week after it was last heard of: Devices that were lost with their file, or that
/// somebody deletes and applies again, find what was reported and wished.
public struct TwinRetention: Sendable {
  static let span = Duration.seconds(7 * 86_400)
  private let twins: TwinStore
  private let mirror: ResourceMirror
  private let logger: Logger

  public init(twins: TwinStore, mirror: ResourceMirror, logger: Logger) {
    self.twins = twins
    self.mirror = mirror
    self.logger = logger
  }

  /// Looks once an hour, until the task is cancelled.
  public func run() async {
    await mirror.waitUntilSynced()
    while !Task.isCancelled {
      let known = Set(mirror.objects(.devices).keys.map { DeviceKey($0) })
      for device in twins.removeForgotten(besides: known, after: Self.span) {
        logger.notice("twin of a device that is long gone removed", metadata: ["device": "\(device)"])
      }
      try? await Task.sleep(for: .seconds(3_600))
    }
  }
}
