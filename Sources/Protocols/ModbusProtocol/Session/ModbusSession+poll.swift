import DeviceKit
import Documents
import Synchronization

extension ModbusSession {
  /// Polls at a fixed rate until the task is cancelled, on the link's event loop where it has one: from the timer over
  /// the answer to the batch's delivery nothing changes threads.
  package func run() async {
    report(.connecting)
    guard let loop = link.pollClock else { return await serve(by: PoolClock()) }
    await withTaskExecutorPreference(loop) { await loop.withAlarm { await serve(by: $0) } }
  }

  private func serve(by time: some PollClock) async {
    guard !map.groups.isEmpty else { return await poll(by: time) }
    await links.ages.watching(self) { await poll(by: time) }
  }

  private func poll(by time: some PollClock) async {
    let periods = map.groups.isEmpty ? [Self.livenessPeriod] : map.groups.map(\.period)
    let link = link
    var schedule = PollSchedule(periods: periods, start: time.now, jitter: .random(in: 0..<1))
    var plans: [[PlannedBlock]] = []
    var planned = -1
    while !Task.isCancelled, let next = schedule.next {
      await time.sleep(until: next)
      guard !Task.isCancelled else { return }
      let begin = time.now
      let former = schedule.overruns
      let due = schedule.take(at: begin)
      if schedule.overruns > former { count(overruns: schedule.overruns - former) }
      guard !map.groups.isEmpty else {
        await checkLife(on: link)
        continue
      }
      let (isSilenced, learned) = state.withLock { state in
        forgetRefusals(&state)
        return (state.silence.until > begin, state.planner.learned)
      }
      if isSilenced {
        links.count { $0.skipped += 1 }
        state.withLock { state in for group in due { state.ages.read(group, from: begin, to: begin) } }
        continue
      }
      if learned != planned {
        plans = plan()
        planned = learned
      }
      let batch = await read(due.count == 1 ? plans[due[0]] : due.flatMap { plans[$0] }, on: link)
      let end = time.now
      state.withLock { state in for group in due { state.ages.read(group, from: begin, to: end) } }
      if !Task.isCancelled { await feed.deliver(batch) }
    }
  }

  private func count(overruns: UInt64) {
    state.withLock { $0.overruns += overruns }
    links.count { $0.overruns += overruns }
  }

  private func plan() -> [[PlannedBlock]] {
    let planner = state.withLock { $0.planner }
    return map.groups.map { group in planner.plan(group.items).map { PlannedBlock($0, map, points) } }
  }

  /// What the device refused may have been a passing fault: after its time it is tried anew.
  private func forgetRefusals(_ state: inout State) {
    guard let due = state.forgetAt, clock.now >= due else { return }
    state.forgetAt = nil
    state.proof.forget(&state.planner)
  }

  /// One harmless read: whatever the device answers, it is there.
  private func checkLife(on link: any ModbusLink) async {
    let reply = await execute(.read(.holding, address: 0, count: 1), on: link)
    switch reply.result {
    case .success: report(.connected)
    case .failure(let error): report(after: error, on: link)
    }
  }

  /// Tells values Uncertain that no read has renewed: the link is held up, or a queue behind the session is.
  func tellStale() async {
    let now = link.now
    let stale = state.withLock { $0.ages.takeStale(at: now) }
    guard !stale.isEmpty else { return }
    var batch = SampleBatch()
    let wall = clock.now.nanoseconds
    for (group, age) in stale {
      let cause = "Stale: no read has ended for \(Duration.nanoseconds(age).brief)"
      for item in map.groups[group].items {
        batch.append(points[item.item], nil, quality: .uncertain, sourceTime: wall, gatewayTime: wall, cause: cause)
      }
    }
    let count = batch.count
    links.count { $0.stale += UInt64(count) }
    await feed.deliver(batch)
  }
}
