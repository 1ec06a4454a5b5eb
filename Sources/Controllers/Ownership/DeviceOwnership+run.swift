public import DeviceKit
internal import Documents
internal import Logging
internal import Resources
internal import Synchronization

extension DeviceOwnership {
  /// Takes, renews and hands over until the task is cancelled; then gives everything back, so that others need not
  /// wait. By then the devices' sessions must have ended.
  ///
  /// - Parameters:
  ///   - board: how the links of the devices are: a group of which none answers is left to gateways that reach it.
  ///   - isActive: whether a device is being served still.
  public func run(board: ConnectionBoard, isActive: @escaping @Sendable (DeviceKey) async -> Bool) async {
    await mirror.waitUntilSynced()
    // Of a task of its own, which outlives this one's cancellation by the time to hand over; cancelled below.
    let work = Task { await self.work(board, isActive) }
    for await _ in AsyncStream<Void>.makeStream().stream {}
    handle(.drain)
    let limit = timing.requestTimeout
    await Task {
      await withTaskGroup { group in
        group.addTask { for await _ in self.drained {} }
        group.addTask { try? await Task.sleep(for: limit) }
        await group.next()
        group.cancelAll()
      }
    }.value
    work.cancel()
    await work.value
  }

  private func work(_ board: ConnectionBoard, _ isActive: @escaping @Sendable (DeviceKey) async -> Bool) async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.followDevices() }
      group.addTask { await self.followLeases() }
      group.addTask { await self.followReach(board) }
      group.addTask {
        while !Task.isCancelled {
          self.handle(.tick)
          try? await Task.sleep(for: self.timing.rankStep / 2)
        }
      }
      group.addTask {
        for await group in self.leaving { await self.awaitEnd(of: group, isActive) }
      }
      for await directive in requests {
        group.addTask { await self.perform(directive) }
      }
      group.cancelAll()
    }
  }

  private func followDevices() async {
    survey()
    await mirror.changes().drain { changes in
      self.survey(changes)
    }
  }

  private func followLeases() async {
    let options = ListOptions(
      namespace: namespace, labelSelector: LabelSelector(matchLabels: [LeaseKey.label: "group"]))
    var known: Set<String> = []
    while !Task.isCancelled {
      do throws(APIStatus) {
        let events = try await backend.watch(.leases, options, since: nil)
        var unseen = known
        var isInitial = true
        for await event in events {
          if event.change == .error { break }
          if event.change == .bookmark {
            guard isInitial else { continue }
            isInitial = false
            for group in unseen { handle(.told(group: group, nil, version: event.resourceVersion)) }
            known.subtract(unseen)
            handle(.isComplete)
            continue
          }
          guard event.object.metadata.name.hasPrefix(LeaseKey.groupPrefix) else { continue }
          let group = String(event.object.metadata.name.dropFirst(LeaseKey.groupPrefix.count))
          unseen.remove(group)
          known.insert(group)
          let record = event.change == .deleted ? nil : LeaseRecord(event.object, fallback: timing.duration)
          handle(.told(group: group, record, version: event.resourceVersion))
        }
      } catch {
        logger.warning("the Leases cannot be watched", metadata: ["error": "\(error.message)"])
      }
      try? await Task.sleep(for: timing.retryAfter)
    }
  }

  /// Leaves groups to others of which no device has answered for the whole duration.
  private func followReach(_ board: ConnectionBoard) async {
    var before: Set<String> = []
    while (try? await Task.sleep(for: timing.duration)) != nil {
      let silent = state.withLock { state in
        var reached: [String: Bool] = [:]
        for (device, group) in state.groups where state.served.contains(group) {
          var isSilent = false
          if case .disconnected? = board[device] { isSilent = true }
          reached[group] = (reached[group] ?? false) || !isSilent
        }
        return Set(reached.filter { !$0.value }.keys)
      }
      for group in silent.intersection(before) { handle(.unreachable(group: group)) }
      before = silent
    }
  }

  /// Says that a group may be handed over once none of its devices is served any more.
  private func awaitEnd(of group: String, _ isActive: @Sendable (DeviceKey) async -> Bool) async {
    while !Task.isCancelled {
      let devices = state.withLock { state in state.groups.filter { $0.value == group }.map(\.key) }
      var isOver = true
      for device in devices where isOver { isOver = !(await isActive(device)) }
      if isOver || state.withLock({ $0.served.contains(group) }) { break }
      try? await Task.sleep(for: .milliseconds(50))
    }
    handle(.ended(group: group))
  }

  // MARK: Requests

  private func perform(_ directive: LeaseMachine.Directive) async {
    switch directive {
    case .look(let key):
      let answer = await withinTime { () async throws(APIStatus) -> LeaseMachine.Answer in
        do throws(APIStatus) {
          return .record(try await self.record(self.backend.get(.leases, self.place(of: key))))
        } catch {
          guard error.code == 404 else { throw error }
          return .record(nil)
        }
      }
      handle(.answered(key, answer))
    case .write(let key, let record):
      let answer = await withinTime { () async throws(APIStatus) -> LeaseMachine.Answer in
        do throws(APIStatus) {
          return .record(try await self.write(key, record))
        } catch {
          guard error.code == 409 || error.code == 404 && record.version > 0 else { throw error }
          return .conflict
        }
      }
      handle(.answered(key, answer))
    case .serve, .writes, .identified, .drained: break
    }
  }

  private func place(of key: LeaseKey) -> ObjectKey { ObjectKey(namespace: namespace, name: key.description) }

  private func record(_ lease: JSONValue) -> LeaseRecord { LeaseRecord(lease, fallback: timing.duration) }

  private func write(_ key: LeaseKey, _ record: LeaseRecord) async throws(APIStatus) -> LeaseRecord {
    let lease = record.lease(key, namespace: namespace, now: clock.now)
    let options = WriteOptions(fieldManager: gatewayFieldManager)
    let result =
      record.version == 0
      ? try await backend.create(.leases, namespace: namespace, lease, options)
      : try await backend.update(.leases, place(of: key), lease, subresource: nil, options)
    return self.record(result.object)
  }

  /// What comes of a request in the time that it may take. One that is given up may have been done: what follows is
  /// conditional on the version, and then finds out.
  private func withinTime(_ body: @escaping @Sendable () async throws(APIStatus) -> LeaseMachine.Answer) async
    -> LeaseMachine.Answer
  {
    let limit = timing.requestTimeout
    return await withTaskGroup(of: LeaseMachine.Answer.self) { group in
      group.addTask { [logger] in
        do throws(APIStatus) {
          return try await body()
        } catch {
          logger.debug("Lease not read or written", metadata: ["error": "\(error.message)"])
          return .failed
        }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return .failed
      }
      let answer = await group.next() ?? .failed
      group.cancelAll()
      return answer
    }
  }
}
