public import DeviceKit
public import Documents
internal import Synchronization

extension TwinStore {
  /// Changes what is desired of a device and returns once that is on disk (fsync); concurrent calls share one commit.
  ///
  /// From `.spec`, `values` is the whole of the Device's `spec.desired`: properties that it changed since it was last
  /// seen, or no longer names, take or lose their wish; the others stay as they are, local changes included. All of it
  /// is taken, whatever the model says; what cannot be is Rejected. The twin is made where there is none.
  ///
  /// From `.local`, `values` names the changes, null taking a wish away; all of them are taken or, with
  /// ``TwinError/invalid(_:)``, none. `ifVersion` makes it conditional:
  /// ``TwinError/conflict(_:current:)`` if anything wished of the twin has changed since that version. Reported values,
  /// which move all the time, do not count.
  ///
  /// Per property the latest change wins, wherever it comes from, unless `policy` (told with the spec, and kept) says
  /// that the spec wins: then a local change of a property that the spec names becomes its
  /// ``TwinSnapshot/Property/drift``. The result is the twin with the change made.
  @discardableResult
  public func setDesired(
    _ values: [String: JSONValue], of device: DeviceKey, from source: DesiredSource, ifVersion: UInt64? = nil,
    policy: DesiredPolicy? = nil
  ) async throws(TwinError) -> TwinSnapshot {
    let change = DesiredChange(
      device: device, values: values, source: source, ifVersion: ifVersion, policy: policy)
    let result = await withCheckedContinuation { continuation in
      submit(DesiredRequest(change: change, continuation: continuation))
    }
    return try result.get().twin
  }

  /// Says whether ``setDesired(_:of:from:ifVersion:)`` would take a change, without making it.
  public func checkDesired(
    _ values: [String: JSONValue], of device: DeviceKey, ifVersion: UInt64? = nil
  ) throws(TwinError) {
    let change = DesiredChange(device: device, values: values, source: .local(user: ""), ifVersion: ifVersion)
    let result = state.withLock { state -> Result<Void, TwinError> in
      do throws(TwinError) {
        _ = try state.plan(change, now: clock.now)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }
}
