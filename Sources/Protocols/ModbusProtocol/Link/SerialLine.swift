package import DeviceKit
package import Documents
import Synchronization
import Threads

/// One serial port, shared by all units on its bus: a thread of its own, a bounded queue, one request at a time.
///
/// Each request brings the line's settings: where they differ from the last ones the port is opened anew. The thread and
/// the port go when the last reference to the line goes.
package final class SerialLine: Sendable {
  package let path: String
  private let clock: WallClock
  private let queue: WorkQueue<Job>
  private let shared: Shared

  package let modification = AsyncLock()
  private let atEnd: (@Sendable (LinkCounters) -> Void)?

  private final class Shared: Sendable {
    let state = Mutex((counters: LinkCounters(), answers: AnswerLog(), timing: LinkTiming()))
  }

  private struct Job: Sendable {
    enum Operation: Sendable {
      case transact(ModbusRequest, unit: UInt8, timeout: Duration, @Sendable (ModbusReply) -> Void)
      case listen(Duration, @Sendable (Result<Bool, ModbusError>) -> Void)
    }
    var settings: SerialSettings
    var operation: Operation
  }

  package init(
    path: String, clock: WallClock = .system, queueLimit: Int = 256, seed: UInt64 = .random(in: .min ... .max),
    atEnd: (@Sendable (LinkCounters) -> Void)? = nil
  ) {
    self.path = path
    self.atEnd = atEnd
    self.clock = clock
    queue = WorkQueue(limit: queueLimit)
    shared = Shared()
    queue.start { [path, clock, shared] in
      Worker(path: path, clock: clock, shared: shared, backoff: ReconnectBackoff(limit: .seconds(5), seed: seed))
    } body: { worker, job in
      worker.run(job)
    }
  }

  deinit {
    atEnd?(counters)
    queue.close()
  }

  package var counters: LinkCounters { shared.state.withLock { $0.counters } }
  package func lastAnswer(of unit: UInt8) -> Timestamp? { shared.state.withLock { $0.answers[unit] } }
  package func servesOthers(than unit: UInt8, since time: Timestamp) -> Bool {
    shared.state.withLock { $0.answers.hasOthers(than: unit, since: time) }
  }
  package func adapt(to timing: LinkTiming) { shared.state.withLock { $0.timing = $0.timing.joined(with: timing) } }

  package func execute(
    _ request: ModbusRequest, unit: UInt8, timeout: Duration, settings: SerialSettings
  ) async -> ModbusReply {
    await withCheckedContinuation { continuation in
      let operation = Job.Operation.transact(request, unit: unit, timeout: timeout) {
        continuation.resume(returning: $0)
      }
      if let error = refusal(of: Job(settings: settings, operation: operation)) {
        continuation.resume(returning: ModbusReply(result: .failure(error), arrival: clock.now))
      }
    }
  }

  /// Whether anybody speaks on the line within `duration`: another master, or a device that sends unasked.
  package func hearsSomebody(for duration: Duration, settings: SerialSettings) async throws(ModbusError) -> Bool {
    let result: Result<Bool, ModbusError> = await withCheckedContinuation { continuation in
      let operation = Job.Operation.listen(duration) { continuation.resume(returning: $0) }
      if let error = refusal(of: Job(settings: settings, operation: operation)) {
        continuation.resume(returning: .failure(error))
      }
    }
    return try result.get()
  }

  private func refusal(of job: Job) -> ModbusError? {
    switch queue.push(job) {
    case .queued: return nil
    case .full:
      shared.state.withLock { $0.counters.refusedByFullQueue += 1 }
      return .queueFull(limit: queue.limit)
    case .closed: return .closed
    }
  }

  /// Lives on the line's thread.
  private struct Worker: ~Copyable {
    let path: String
    let clock: WallClock
    let shared: Shared
    var backoff: ReconnectBackoff
    var port: SerialPort?
    var counters = LinkCounters()
    /// Why the port could not be opened, and when to try again.
    var failure: (error: ModbusError, until: Int64)?

    init(path: String, clock: WallClock, shared: Shared, backoff: ReconnectBackoff) {
      self.path = path
      self.clock = clock
      self.shared = shared
      self.backoff = backoff
    }

    mutating func run(_ job: Job) {
      if port?.settings != job.settings { port = nil }
      let opening = open(job.settings)
      switch job.operation {
      case .transact(let request, let unit, let timeout, let completion):
        var result: Result<ModbusResponse, ModbusError> = .failure(opening ?? .connectionLost)
        if opening == nil {
          let pause = shared.state.withLock { $0.timing.pauseBetweenRequests }
          result =
            port?.transact(request, unit: unit, timeout: timeout, pause: pause, counters: &counters) ?? result
        }
        if opening == nil, case .failure(.connectionLost) = result {
          counters.connectionLosses += 1
          port = nil
        }
        let reply = ModbusReply(result: result, arrival: clock.now)
        shared.state.withLock {
          $0.counters = counters
          $0.answers.note(reply, unit: unit)
        }
        completion(reply)
      case .listen(let duration, let completion):
        if let opening { return completion(.failure(opening)) }
        completion(.success(port?.hearsSomebody(for: duration) ?? false))
      }
    }

    /// Opens the port where it is closed; answers why it stays so.
    private mutating func open(_ settings: SerialSettings) -> ModbusError? {
      guard port == nil else { return nil }
      if let failure, SerialPort.now < failure.until { return failure.error }
      do {
        port = try SerialPort(path: path, settings: settings)
        counters.connects += 1
        failure = nil
        let pause = shared.state.withLock { $0.timing.pauseAfterConnect }
        if pause > .zero { SerialPort.sleep(until: SerialPort.now + pause.nanoseconds) }
        backoff.reset()
        return nil
      } catch {
        counters.connectFailures += 1
        backoff.limit = min(.seconds(5), shared.state.withLock { $0.timing.reconnectLimit })
        failure = (error, SerialPort.now + backoff.delayAfterFailure().nanoseconds)
        return error
      }
    }
  }
}

/// A serial line as one device uses it.
package struct SerialLink: ModbusLink {
  package let line: SerialLine
  package let settings: SerialSettings
  package init(line: SerialLine, settings: SerialSettings) {
    self.line = line
    self.settings = settings
  }
  package var name: String { line.path }
  package var limits: ReadPlanner.Limits { .line(settings) }
  package var counters: LinkCounters { line.counters }
  package var window: Int { 1 }
  package var modification: AsyncLock { line.modification }
  package var pollClock: LoopClock? { nil }
  package func adapt(to timing: LinkTiming) { line.adapt(to: timing) }
  package func lastAnswer(of unit: UInt8) -> Timestamp? { line.lastAnswer(of: unit) }
  package func servesOthers(than unit: UInt8, since time: Timestamp) -> Bool {
    line.servesOthers(than: unit, since: time)
  }
  /// No fence: a port of the machine's own is nobody else's.
  package func execute(
    _ request: ModbusRequest, unit: UInt8, timeout: Duration, fence: WriteFence?
  ) async -> ModbusReply {
    await line.execute(request, unit: unit, timeout: timeout, settings: settings)
  }
}
