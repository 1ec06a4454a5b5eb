public import DeviceKit
internal import Dispatch
internal import Documents
internal import Synchronization

extension TwinStore {
  /// Takes a wish of the cloud and returns once it is on disk (fsync), with what came of each property. Wishes of one
  /// device are to be given one after another.
  ///
  /// What the model forbids, and what somebody else has wished since `baseVersion`, is left out; the rest is taken, by
  /// the rules of a local change. The answer is stored with the change: the same id again, after a crash too, changes
  /// nothing and gets the first answer, for a day and among the last hundred ids and command keys of the device.
  ///
  /// Throws ``TwinError/notFound(_:)`` without a twin, ``TwinError/refused(_:)`` where the id stands for another wish.
  public func take(_ wish: RemoteWish, of device: DeviceKey) async throws(TwinError) -> RemoteAnswer {
    let known: Result<RemoteAnswer?, TwinError> = await withCheckedContinuation { continuation in
      queue.async { [self] in
        do throws(TwinError) {
          continuation.resume(returning: .success(try knownAnswer(to: wish, of: device)))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    if let answer = try known.get() { return answer }
    let change = DesiredChange(
      device: device, values: wish.values, source: .cloud, ifVersion: nil, policy: nil, remote: wish)
    let result = await withCheckedContinuation { continuation in
      submit(DesiredRequest(change: change, continuation: continuation))
    }
    return RemoteAnswer(properties: try result.get().verdicts)
  }

  /// On the queue.
  private func knownAnswer(to wish: RemoteWish, of device: DeviceKey) throws(TwinError) -> RemoteAnswer? {
    guard let row = state.withLock({ state in state.indexes[device].map { state.twins[$0].rowID } }) else {
      throw .notFound(device)
    }
    let found: CommandRow?
    do {
      found = try database.withLock { try $0?.command(wish.key, of: row, now: clock.now) }
    } catch {
      throw .storage("\(error)")
    }
    guard let found else { return nil }
    guard found.value == wish.content else {
      throw .refused(
        .init(reason: .keyReused, message: "the id \"\(wish.id)\" was used for another wish: take a new one"))
    }
    return RemoteAnswer(stored: found.outcome.flatMap { try? JSONValue(parsing: $0) } ?? [:])
  }
}
