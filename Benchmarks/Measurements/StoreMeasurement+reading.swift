import Documents
import KubernetesAPI
import ResourceStore
import Resources

extension StoreBench {
  private static let tableType = "application/json;as=Table;v=v1;g=meta.k8s.io"

  /// Every piece of a list's answer; how many bytes these were.
  private func read(accept: String) async throws -> Int {
    let reply = await api.reply(to: call(accept: accept))
    guard case .list(var list) = reply.body else { throw BenchError("no list but \(reply.code)") }
    var bytes = 0
    while let piece = try await list.next() { bytes += piece.count }
    return bytes
  }

  /// Milliseconds for all 10,000.
  func lists() async throws -> [Measurement] {
    var sizes = (objects: 0, table: 0)
    func timed(_ body: () async throws -> Void) async throws -> Double {
      let start = monotonicNanoseconds()
      try await body()
      return (monotonicNanoseconds() - start) / 1e6
    }
    var objects = try await Measurement.best(
      of: 5, "list 10,000 Devices", unit: "ms",
      ours: { try await timed { sizes.objects = try await read(accept: "application/json") } },
      floor: { try await timed { _ = try floor.list() } })
    objects.name += ", \(sizes.objects / 1_000_000) MB (\(Int(Double(sizes.objects) / 1e3 / objects.ours)) MB/s)"
    // Held as values in memory: for the floor alone, and let go before memory is measured.
    var table: Measurement
    do {
      let all = try await store.list(devices, ListOptions()).items
      let value = Table.rendered(
        all, of: definition, include: .metadata, now: EmbeddedResourceStore.systemClock(),
        listMetadata: ["resourceVersion": "1"])
      table = try await Measurement.best(
        of: 5, "Table of 10,000 Devices against serialising it in memory", unit: "ms",
        ours: { try await timed { sizes.table = try await read(accept: Self.tableType) } },
        floor: { try await timed { _ = value.serialised() } })
      table.name += ", \(sizes.table / 1_000_000) MB"
    }
    let memory = Measurement(
      name: "peak memory while that Table is answered, against its size", ours: try await peakGrowth(),
      floor: Double(sizes.table) / 1e6, unit: "MB")
    return [objects, table, memory]
  }

  private func peakGrowth() async throws -> Double {
    ProcessMemory.giveBack()
    try ProcessMemory.resetPeak()
    let before = try ProcessMemory.resident()
    _ = try await read(accept: Self.tableType)
    return Double(try ProcessMemory.peak() - before) / 1e6
  }

  private static let watchers = 1_000

  /// Memory of 1,000 watchers, and a write's way to all of them.
  func watches() async throws -> [Measurement] {
    let bare = try await bareStreams()
    let arrived = Arrivals()
    ProcessMemory.giveBack()
    let before = try ProcessMemory.resident()
    let version = await store.currentVersion
    var readers: [Task<Void, Never>] = []
    for _ in 0..<Self.watchers {
      let reply = await api.reply(to: call("watch=1&resourceVersion=\(version)"))
      guard case .watch(let watch) = reply.body else { throw BenchError("no watch but \(reply.code)") }
      readers.append(
        Task {
          var lines = watch.makeLines()
          while let line = await lines.next() { arrived.add(line.count) }
        })
    }
    try await until("1,000 watches are open") { store.watcherCount == Self.watchers }
    let memory = Measurement(
      name: "memory of one of 1,000 watchers, against a bare AsyncStream's",
      ours:
        Double(try ProcessMemory.resident() - before) / 1e3 / Double(Self.watchers), floor: bare, unit: "KB")
    var fanOut = Measurement(
      name: "a write to all of 1,000 watchers", ours: .infinity, floor: .infinity, unit: "us/write")
    let body = try await store.get(devices, ObjectKey(namespace: "default", name: "device-0")).serialised()
    for turn in 0..<5 {
      let writes = 20
      var start = monotonicNanoseconds()
      for index in 0..<writes {
        _ = try await store.patch(
          devices, ObjectKey(namespace: "default", name: "device-0"),
          .merge(["metadata": ["labels": ["seen": .string("\(turn)-\(index)")]]]), subresource: nil,
          WriteOptions(fieldManager: "bench"))
      }
      let expected = (turn + 1) * writes * Self.watchers
      while arrived.count < expected { await Task.yield() }
      fanOut.ours = min(fanOut.ours, (monotonicNanoseconds() - start) / 1e3 / Double(writes))
      start = monotonicNanoseconds()
      for _ in 0..<writes { try floor.write(["device-0"], kind: "MODIFIED", body: body) }
      fanOut.floor = min(fanOut.floor, (monotonicNanoseconds() - start) / 1e3 / Double(writes))
    }
    for reader in readers { reader.cancel() }
    for reader in readers { await reader.value }
    return [memory, fanOut, try await watchersOverHTTP()]
  }

  /// KB of a stream somebody waits on.
  private func bareStreams() async throws -> Double {
    ProcessMemory.giveBack()
    let before = try ProcessMemory.resident()
    var streams: [(Task<Void, Never>, AsyncStream<WatchEvent>.Continuation)] = []
    for _ in 0..<Self.watchers {
      let (stream, continuation) = AsyncStream.makeStream(of: WatchEvent.self)
      streams.append((Task { for await _ in stream {} }, continuation))
    }
    try await Task.sleep(for: .milliseconds(200))
    let size = Double(try ProcessMemory.resident() - before) / 1e3 / Double(Self.watchers)
    for (_, continuation) in streams { continuation.finish() }
    for (task, _) in streams { await task.value }
    return size
  }
}
