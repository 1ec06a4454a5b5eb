import Controllers
import DeviceKit
import Documents

/// Gateways around one API server, in simulated time: latencies, lost requests and answers, gateways that are cut off,
/// paused, killed and come back, with clocks that run at rates of their own. Everything follows from the seed.
struct LeaseWorld {
  struct Node {
    var machine: LeaseMachine
    /// Local time is `offset + rate * time`.
    var rate: Double
    var offset: Duration
    var isAlive = true
    var isCut = false
    var isStopping = false
    var pausedUntil = Duration.zero
    var served: Set<String> = []
    var until = Duration.zero
    /// News of a watch come in their order.
    var lastNews = Duration.zero
    var run = 0
    /// The request under way for each Lease; each is answered once.
    var flights: [LeaseKey: Int] = [:]
  }
  enum Action {
    case deliver(Int, run: Int, LeaseMachine.Event)
    case arrive(Int, run: Int, LeaseKey, LeaseRecord?, flight: Int)
    case answer(Int, run: Int, LeaseKey, LeaseMachine.Answer, flight: Int)
    case tick(Int, run: Int)
    case write(Int, run: Int)
    case script(@Sendable (inout LeaseWorld) -> Void)
  }
  struct Violation: CustomStringConvertible {
    var group: String
    var writers: (String, String)
    var time: Duration
    var description: String { "\(group) at \(time): \(writers.0) and \(writers.1)" }
  }

  let timing: LeaseTiming
  let writeTimeout = Duration.seconds(1)
  var groups: Set<String>
  var now = Duration.zero
  var nodes: [Node] = []
  var leases: [LeaseKey: LeaseRecord] = [:]
  var version: UInt64 = 0
  var violations: [Violation] = []
  var requests = 0
  /// How often a group came to be served by another gateway than before.
  var moves = 0
  /// When each group was last taken, and by whom.
  var taken: [String: (node: Int, time: Duration)] = [:]
  var writers: [String: (node: Int, end: Duration)] = [:]
  /// Requests and answers that go lost, of a hundred.
  var lostOfHundred = 0
  /// A fault of the test's own: gateways do not look at their fence.
  var ignoresFence = false
  /// Whether writes are tried at all: where the figures are asked for, they only cost time.
  var triesWrites = true
  private var flights = 0
  private var queue = EventQueue<Action>()
  private var chance: SplitMix64

  init(gateways: Int, groups: Set<String>, timing: LeaseTiming = LeaseTiming(), seed: UInt64, starts: Duration) {
    self.timing = timing
    self.groups = groups
    chance = SplitMix64(seed: seed)
    for index in 0..<gateways {
      nodes.append(
        Node(
          machine: LeaseMachine(identity: Self.identity(index, 0), timing: timing, seed: chance.next()),
          rate: Double.random(in: 0.99...1.01, using: &chance),
          offset: .seconds(Int.random(in: 0...5_000, using: &chance)))
      )
    }
    for index in nodes.indices { start(index, after: Self.random(.zero...starts, &chance)) }
  }

  static func name(_ index: Int) -> String { "gw-\(index)" }
  static func identity(_ index: Int, _ run: Int) -> GatewayIdentity {
    GatewayIdentity(gateway: name(index), run: "r\(index)x\(run)")
  }
  private static func random(_ range: ClosedRange<Duration>, _ chance: inout SplitMix64) -> Duration {
    range.lowerBound + (range.upperBound - range.lowerBound) * Double.random(in: 0...1, using: &chance)
  }
  mutating func random(_ low: Int, _ high: Int) -> Duration {
    .milliseconds(Int.random(in: low...high, using: &chance))
  }
  mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &chance) }

  func local(_ node: Int, _ time: Duration) -> Duration { nodes[node].offset + time * nodes[node].rate }

  mutating func at(_ time: Duration, _ body: @escaping @Sendable (inout LeaseWorld) -> Void) {
    queue.push(max(now, time), .script(body))
  }

  // MARK: Faults

  mutating func start(_ node: Int, after pause: Duration = .zero) {
    let run = nodes[node].run
    let names = Set(nodes.indices.map(Self.name))
    let time = now + pause
    queue.push(time, .deliver(node, run: run, .gateways(names)))
    queue.push(time, .deliver(node, run: run, .follows(groups)))
    queue.push(time, .script { world in world.list(node) })
    queue.push(time + random(0, 500), .tick(node, run: run))
    if triesWrites { queue.push(time + random(0, 200), .write(node, run: run)) }
  }

  /// - Parameter resumes: whether the next run finds the identity of this one on the disk.
  mutating func kill(_ node: Int, backAfter pause: Duration?, resumes: Bool = false) {
    guard nodes[node].isAlive else { return }
    nodes[node].isAlive = false
    nodes[node].served = []
    nodes[node].run += 1
    let identity = resumes ? nodes[node].machine.identity : Self.identity(node, nodes[node].run)
    guard let pause else { return }
    let run = nodes[node].run
    at(now + pause) { world in
      if world.nodes[node].run == run { world.revive(node, as: identity) }
    }
  }

  /// Starts a gateway that has ended.
  mutating func revive(_ node: Int, as identity: GatewayIdentity? = nil) {
    nodes[node].run += 1
    nodes[node].machine = LeaseMachine(
      identity: identity ?? Self.identity(node, nodes[node].run), timing: timing, seed: chance.next())
    nodes[node].isAlive = true
    nodes[node].isStopping = false
    nodes[node].served = []
    nodes[node].until = .zero
    nodes[node].pausedUntil = .zero
    nodes[node].flights = [:]
    start(node)
  }

  mutating func cut(_ node: Int, for span: Duration) {
    nodes[node].isCut = true
    at(now + span) { world in
      world.nodes[node].isCut = false
      world.list(node)
    }
  }

  mutating func pause(_ node: Int, for span: Duration) { nodes[node].pausedUntil = now + span }

  /// The sessions end first, and with them what they have sent.
  mutating func drain(_ node: Int) {
    guard nodes[node].isAlive else { return }
    nodes[node].isStopping = true
    let run = nodes[node].run
    at(now + writeTimeout * 1.1) { world in
      if world.nodes[node].run == run { world.deliver(node, .drain) }
    }
  }

  // MARK: The server

  /// What a watch tells that begins anew.
  private mutating func list(_ node: Int) {
    guard nodes[node].isAlive, !nodes[node].isCut else { return }
    for group in groups.sorted() {
      guard let record = leases[.group(group)] else { continue }
      news(node, .told(group: group, record, version: record.version))
    }
    news(node, .isComplete)
  }

  private mutating func news(_ node: Int, _ event: LeaseMachine.Event) {
    let time = max(nodes[node].lastNews, now + random(2, 120))
    nodes[node].lastNews = time
    queue.push(time, .deliver(node, run: nodes[node].run, event))
  }

  private mutating func arrive(_ node: Int, _ run: Int, _ key: LeaseKey, _ record: LeaseRecord?, _ flight: Int) {
    guard !nodes[node].isCut else { return }
    requests += 1
    var answer: LeaseMachine.Answer
    if var record {
      let present = leases[key]
      if present?.version ?? 0 == record.version {
        version += 1
        record.version = version
        leases[key] = record
        answer = .record(record)
        if case .group(let group) = key {
          for other in nodes.indices where nodes[other].isAlive && !nodes[other].isCut {
            news(other, .told(group: group, record, version: version))
          }
        }
      } else {
        answer = .conflict
      }
    } else {
      answer = .record(leases[key])
    }
    if pick(100) < lostOfHundred { return }
    queue.push(now + random(2, 120), .answer(node, run: run, key, answer, flight: flight))
  }

  // MARK: The gateways

  private mutating func deliver(_ node: Int, _ event: LeaseMachine.Event) {
    guard nodes[node].isAlive else { return }
    if now < nodes[node].pausedUntil {
      return queue.push(nodes[node].pausedUntil, .deliver(node, run: nodes[node].run, event))
    }
    if case .told = event, nodes[node].isCut { return }
    let run = nodes[node].run
    for directive in nodes[node].machine.handle(event, at: local(node, now)) {
      switch directive {
      case .look(let key): send(node, run, key, nil)
      case .write(let key, let record): send(node, run, key, record)
      case .serve(let groups):
        for group in groups.subtracting(nodes[node].served) {
          if let former = taken[group], former.node != node { moves += 1 }
          taken[group] = (node, now)
        }
        for group in nodes[node].served.subtracting(groups).sorted() {
          // A session's end waits for what it has sent.
          queue.push(now + writeTimeout * 1.1 + random(1, 1_000), .deliver(node, run: run, .ended(group: group)))
        }
        nodes[node].served = groups
      case .writes(let until): nodes[node].until = until
      case .identified: break
      case .drained:
        nodes[node].isAlive = false
        nodes[node].served = []
        nodes[node].run += 1
      }
    }
  }

  private mutating func send(_ node: Int, _ run: Int, _ key: LeaseKey, _ record: LeaseRecord?) {
    // Now and then a request is under way for long, and arrives when nobody counts on it any more.
    let latency = pick(100) < lostOfHundred ? random(2_000, 40_000) : random(2, 120)
    flights += 1
    nodes[node].flights[key] = flights
    queue.push(now + latency, .arrive(node, run: run, key, record, flight: flights))
    queue.push(now + timing.requestTimeout, .answer(node, run: run, key, .failed, flight: flights))
  }

  private mutating func tryWrites(_ node: Int) {
    guard now >= nodes[node].pausedUntil, !nodes[node].isStopping else { return }
    guard ignoresFence || local(node, now) + writeTimeout < nodes[node].until else { return }
    for group in nodes[node].served {
      if let other = writers[group], other.node != node, other.end > now {
        violations.append(
          Violation(group: group, writers: (Self.name(other.node), Self.name(node)), time: now))
      }
      // The request is over by its timeout, as this gateway counts it.
      writers[group] = (node, now + writeTimeout / nodes[node].rate)
    }
  }

  mutating func run(until end: Duration) {
    while let (time, action) = queue.pop(before: end) {
      now = time
      switch action {
      case .deliver(let node, let run, let event):
        if nodes[node].run == run { deliver(node, event) }
      case .arrive(let node, let run, let key, let record, let flight):
        arrive(node, run, key, record, flight)
      case .answer(let node, let run, let key, let answer, let flight):
        guard nodes[node].run == run, nodes[node].flights[key] == flight else { continue }
        if nodes[node].isCut {
          guard case .failed = answer else { continue }
        }
        nodes[node].flights[key] = nil
        deliver(node, .answered(key, answer))
      case .tick(let node, let run):
        guard nodes[node].run == run, nodes[node].isAlive else { continue }
        deliver(node, .tick)
        queue.push(now + timing.rankStep / 2, .tick(node, run: run))
      case .write(let node, let run):
        guard nodes[node].run == run, nodes[node].isAlive else { continue }
        tryWrites(node)
        queue.push(now + random(50, 400), .write(node, run: run))
      case .script(let body): body(&self)
      }
    }
    now = end
  }

  // MARK: What is seen

  /// How many groups of devices each living gateway serves.
  var loads: [Int] { nodes.filter(\.isAlive).map { $0.served.subtracting([DeviceGroup.summary]).count } }

  /// Groups that are served by no gateway, or by several.
  var unsettled: [String] {
    groups.filter { group in nodes.count { $0.isAlive && $0.served.contains(group) } != 1 }.sorted()
  }
}

/// A binary heap by time, then by the order of pushing.
struct EventQueue<Element> {
  private var heap: [(time: Duration, order: Int, element: Element)] = []
  private var order = 0

  private func comes(_ left: Int, before right: Int) -> Bool {
    (heap[left].time, heap[left].order) < (heap[right].time, heap[right].order)
  }

  mutating func push(_ time: Duration, _ element: Element) {
    order += 1
    heap.append((time, order, element))
    var child = heap.count - 1
    while child > 0, comes(child, before: (child - 1) / 2) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop(before end: Duration) -> (Duration, Element)? {
    guard let first = heap.first, first.time < end else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && comes(child, before: least) {
        least = child
      }
      guard least != parent else { break }
      heap.swapAt(parent, least)
      parent = least
    }
    return (first.time, first.element)
  }
}
