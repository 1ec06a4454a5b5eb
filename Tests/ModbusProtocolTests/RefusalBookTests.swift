import DeviceKit
import Documents
import Foundation
import ModbusProtocol
import Synchronization
import TestSupport
import Testing

/// What a device refuses, kept for as long as it can be relied on.
@Suite struct RefusalBookTests {
  private let device = DeviceKey(namespace: "default", name: "meter-1")
  private let start = Timestamp(seconds: 1_700_000_000)

  private func key(_ basis: String = "a", _ identity: [String: String] = [:], name: String = "meter-1")
    -> RefusalBook.Key
  {
    RefusalBook.Key(device: DeviceKey(namespace: "default", name: name), basis: basis, identity: identity)
  }

  /// Holes before each of these addresses.
  private func holes(_ addresses: Int...) -> ReadRefusals {
    var planner = ReadPlanner()
    for address in addresses {
      let items = [
        ReadItem(item: 0, table: .holding, address: address - 2, length: 1),
        ReadItem(item: 1, table: .holding, address: address, length: 1),
      ]
      _ = planner.plan(items).first.map { planner.part($0) }
    }
    return planner.refusals
  }

  @Test func itHoldsForAnHourAndTwiceAsLongEachTimeItIsSeenAgain() {
    var book = RefusalBook()
    var now = start
    var spans: [Duration] = []
    for _ in 0..<7 {
      let until = book.keep(holes(10, 30), of: key(), at: now)
      spans.append(until - now)
      #expect(book.known(of: key(), at: until + .nanoseconds(-1))?.refusals == holes(10, 30))
      #expect(book.known(of: key(), at: until) == nil, "its time is over")
      now = until
    }
    #expect(spans == [1, 2, 4, 8, 16, 24, 24].map { .seconds($0 * 3_600) })
  }

  @Test func aNewTryThatGoesOnInStepsIsOneTry() {
    var book = RefusalBook()
    _ = book.keep(holes(10), of: key(), at: start)
    let until = book.keep(holes(10, 30), of: key(), at: start + .seconds(1))
    _ = book.keep(holes(30), of: key(), at: until)
    #expect(book.keep(holes(10, 30), of: key(), at: until + .seconds(1)) == until + .seconds(7_201))
  }

  @Test func anotherRefusalThanBeforeIsNew() {
    var book = RefusalBook()
    let until = book.keep(holes(10), of: key(), at: start)
    #expect(book.keep(holes(10, 30), of: key(), at: until) == until + RefusalBook.firstSpan)
  }

  @Test func whatItDependedOnIsGoneAndSoIsIt() {
    let identity = ["vendorName": "Example Works", "revision": "1"]
    for other in [key("b", identity), key("a", ["vendorName": "Example Works", "revision": "2"])] {
      var book = RefusalBook()
      _ = book.keep(holes(10), of: key("a", identity), at: start)
      #expect(book.known(of: other, at: start) == nil)
      #expect(book.known(of: key("a", identity), at: start) == nil, "forgotten for good")
    }
  }

  @Test func anIdentityThatBecomesKnownIsNoOther() {
    var book = RefusalBook()
    _ = book.keep(holes(10), of: key(), at: start)
    #expect(book.known(of: key("a", ["revision": "1"]), at: start) != nil)
    #expect(book.known(of: key(), at: start) != nil)
    #expect(book.known(of: key("a", ["revision": "2"]), at: start) == nil, "it was remembered")
  }

  @Test func aClockThatWasSetBackFarMakesItDoubtful() {
    var book = RefusalBook()
    _ = book.keep(holes(10), of: key(), at: start)
    #expect(book.known(of: key(), at: start + .seconds(-600)) != nil)
    #expect(book.known(of: key(), at: start + .seconds(-7_200)) == nil)
  }

  @Test func itIsBounded() {
    var book = RefusalBook()
    for number in 0..<RefusalBook.mostDevices + 10 {
      _ = book.keep(holes(10), of: key(name: "meter-\(number)"), at: start + .seconds(Int64(number)))
    }
    let now = start + .seconds(Int64(RefusalBook.mostDevices))
    book.prune(at: now)
    #expect(book.json["devices"]?.array?.count == RefusalBook.mostDevices)
    #expect(book.known(of: key(name: "meter-9"), at: now) == nil, "the oldest went")
    book.prune(at: now + .seconds(25 * 3_600 + 20))
    #expect(book.json["devices"] == [], "devices that are gone")
  }

  @Test func itIsReadAsItWasWritten() throws {
    var planner = ReadPlanner()
    let ends = [2, 4].map { ReadItem(item: $0, table: .input, address: 8, length: $0) }
    _ = planner.part(ReadBlock(table: .input, address: 8, count: 4, items: ends))
    #expect(planner.learned == 1)
    var book = RefusalBook()
    _ = book.keep(planner.refusals, of: key("a", ["revision": "1"]), at: start)
    _ = book.keep(holes(10, 30), of: key(name: "meter-2"), at: start)
    let read = try RefusalBook(JSONValue(parsing: book.json.serialised()))
    #expect(read == book)
  }

  @Test(arguments: ["", "{", "[]", #"{"version":2,"devices":[]}"#, #"{"version":1,"devices":[{"name":"x"},7]}"#])
  func aFileThatIsNoneCostsNothing(text: String) throws {
    let folder = try ScratchFolder()
    let file = RefusalFile(path: try folder.write(text, to: "refusals.json"))
    #expect(file.known(of: key()) == nil)
  }

  @Test func theFileOutlivesTheProcess() async throws {
    let folder = try ScratchFolder()
    let path = folder("refusals.json")
    let file = RefusalFile(path: path)
    _ = file.keep(holes(10), of: key())
    _ = file.keep(holes(10, 30), of: key())
    #expect(await eventually { RefusalFile(path: path).known(of: key())?.refusals == holes(10, 30) })
    _ = file.keep(holes(50), of: key(name: "meter-2"))
    #expect(await eventually { RefusalFile(path: path).known(of: key(name: "meter-2")) != nil })
    #expect(RefusalFile(path: path).known(of: key()) != nil)
  }

  /// Registers 0 and 9 are there, those between them not; every read of more than one register is refused.
  @Test func aSessionTriesAnewWhenTheTimeIsOver() async throws {
    let peer = try ScriptedPeer { request, _ in
      request[11] == 1 ? registersReply(request) : Array(request[0..<4]) + [0, 3, request[6], request[7] | 0x80, 2]
    }
    defer { peer.stop() }
    let shift = Mutex(Duration.zero)
    let clock = WallClock { WallClock.system.now + shift.withLock { $0 } }
    let properties = [0, 9].map { property("p\($0)", .integer, ["table": "holding", "address": .integer($0)]) }
    let folder = try ScratchFolder()
    func refused() -> Int { peer.requests.count { $0[11] != 1 } }
    func serve(_ body: (CollectingFeed) async throws -> Void) async throws {
      let plugin = ModbusPlugin(stateFolder: folder.path, clock: clock)
      let feed = CollectingFeed()
      let session = try plugin.session(for: sessionRequest(properties, connection: tcp(peer.port)), feed: feed)
      let task = Task { await session.run() }
      defer { task.cancel() }
      try await body(feed)
      task.cancel()
      await task.value
    }
    try await serve { feed in
      #expect(await eventually { feed.batches.count > 5 })
      #expect(refused() == 1 && feed.last(0)?.quality == .good && feed.last(1)?.quality == .good)
      shift.withLock { $0 = RefusalBook.firstSpan + .seconds(1) }
      #expect(await eventually { refused() == 2 }, "it is tried anew once")
      let polls = feed.batches.count
      #expect(await eventually { feed.batches.count > polls + 5 })
      #expect(refused() == 2)
      #expect(
        feed.batches.allSatisfy { batch in (0..<batch.count).allSatisfy { batch.reading(at: $0).quality == .good } })
    }
    let path = folder("modbus-refusals.json")
    #expect(
      await eventually {
        (try? JSONValue(parsing: Array(String(contentsOfFile: path, encoding: .utf8).utf8)))?["devices"]?.array?.first?[
          "span"] == .integer(RefusalBook.firstSpan.nanoseconds * 2)
      })
    try await serve { feed in
      #expect(await eventually { feed.batches.count > 5 })
      #expect(refused() == 2, "another process knows it from the first poll on")
    }
  }
}
