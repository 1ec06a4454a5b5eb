import DeviceKit
import Documents
import Testing
import TwinStore

@Suite struct WriteOrderTests {
  static func properties(_ rules: [(String, WriteRules)]) -> [(PropertyDefinition, WriteRules)] {
    rules.map { name, rules in
      (PropertyDefinition(name: name, type: .integer, access: .readWrite, minimum: 0, maximum: 9), rules)
    }
  }
  static let brief = Duration.seconds(1)
  let directory = TemporaryDirectory()

  func bench(_ rules: [(String, WriteRules)]) throws -> Boiler {
    let boiler = try Boiler(in: directory, properties: Self.properties(rules))
    boiler.store.connection(Boiler.key, isConnected: true)
    return boiler
  }

  func wish(_ values: [String: JSONValue], _ boiler: Boiler) async throws {
    try await boiler.store.setDesired(values, of: Boiler.key, from: .spec)
  }

  /// Answers one batch of work; the names written.
  func step(_ boiler: Boiler, _ registers: inout [String: Value], failing: Set<String> = []) -> [[String]] {
    var batches: [[String]] = []
    while true {
      let work = boiler.store.takeWork(Boiler.key)
      if work.isEmpty { return batches }
      if !work.writes.isEmpty { batches.append(work.writes.map(\.property)) }
      for write in work.writes {
        if failing.contains(write.property) {
          boiler.store.complete(write, of: Boiler.key, refusal)
        } else {
          registers[write.property] = write.value
          boiler.store.complete(write, of: Boiler.key, nil)
        }
      }
      for read in work.reads {
        boiler.clock.advance(.milliseconds(1))
        boiler.store.complete(
          read, of: Boiler.key,
          .success(Reading(registers[read.property], sourceTime: boiler.clock.now, gatewayTime: boiler.clock.now)))
      }
    }
  }

  static let zeros: [String: Value] = ["a": .integer(0), "b": .integer(0), "c": .integer(0)]

  @Test func `A wish waits until what it depends on is Confirmed, and is then read anew and written`() async throws {
    let boiler = try bench([("a", WriteRules(confirmWithin: Self.brief)), ("b", WriteRules(after: ["a"]))])
    var registers = Self.zeros
    try await wish(["b": 2], boiler)
    #expect(step(boiler, &registers) == [["b"]], "a has no wish, so b waits for nothing")
    try await wish(["a": 1, "b": 3], boiler)
    let first = boiler.store.takeWork(Boiler.key)
    #expect(first.reads.map(\.property) == ["a", "b"] && first.writes.isEmpty)
    for read in first.reads.reversed() {
      boiler.store.complete(
        read, of: Boiler.key,
        .success(Reading(registers[read.property], sourceTime: boiler.clock.now, gatewayTime: boiler.clock.now)))
    }
    #expect(boiler["b"].state == .pending && boiler["b"].reason == "WaitsFor")
    #expect(boiler["b"].message == "waits for a, which is Writing")
    // Somebody else sets b meanwhile: it is read anew, and nothing is written.
    registers["b"] = .integer(3)
    #expect(step(boiler, &registers) == [["a"]])
    #expect(boiler["a"].state == .confirmed && boiler["b"].state == .confirmed)
  }

  @Test func `A dependency that is Rejected or Held keeps the wish Pending and is named`() async throws {
    let boiler = try bench([("a", WriteRules()), ("b", WriteRules(after: ["a"]))])
    var registers = Self.zeros
    try await wish(["a": 99, "b": 2], boiler)
    #expect(step(boiler, &registers) == [])
    #expect(boiler["b"].message == "waits for a, which is Rejected (OutOfBounds)")
    try await wish(["b": 2], boiler)
    #expect(step(boiler, &registers) == [["b"]] && boiler["b"].state == .confirmed)
  }

  @Test func `What cannot be read waits for its dependencies too`() async throws {
    let boiler = try Boiler(
      in: directory,
      properties: [
        (PropertyDefinition(name: "b", type: .integer, access: .write), WriteRules(after: ["a"])),
        (PropertyDefinition(name: "a", type: .integer, access: .readWrite), WriteRules()),
      ])
    boiler.store.connection(Boiler.key, isConnected: true)
    var registers = Self.zeros
    try await wish(["a": 1, "b": 2], boiler)
    #expect(step(boiler, &registers) == [["a"], ["b"]])
  }

  static let group: [(String, WriteRules)] = [
    ("a", WriteRules(confirmWithin: brief, group: "g")), ("z", WriteRules()),
    ("b", WriteRules(confirmWithin: brief, group: "g")),
  ]

  @Test func `A group goes out in one batch, side by side in the model's order`() async throws {
    let boiler = try bench(Self.group)
    var registers = Self.zeros
    try await wish(["b": 2, "a": 1, "z": 3], boiler)
    let batches = step(boiler, &registers)
    #expect(batches.contains { $0.contains("a") && $0.firstIndex(of: "b") == $0.firstIndex(of: "a").map { $0 + 1 } })
    #expect(batches.flatMap { $0 }.count == 3)
    #expect(["a", "b", "z"].allSatisfy { boiler[$0].state == .confirmed })
  }

  @Test func `One member that cannot be written keeps the whole group back, and is named`() async throws {
    let boiler = try bench(Self.group)
    var registers = Self.zeros
    try await wish(["a": 1, "b": 99], boiler)
    #expect(step(boiler, &registers) == [])
    #expect(boiler["a"].state == .pending && boiler["a"].reason == "WaitsForGroup")
    #expect(boiler["a"].message == "waits for group g: b is Rejected: 99 is above the maximum 9")
    registers["a"] = .integer(1)
    try await wish(["a": 1, "b": 2], boiler)
    #expect(step(boiler, &registers) == [["b"]], "a was read anew and holds")
  }

  @Test func `A member that already holds is not written with the others`() async throws {
    let boiler = try bench(Self.group)
    var registers = Self.zeros
    registers["a"] = .integer(1)
    try await wish(["a": 1, "b": 2], boiler)
    #expect(step(boiler, &registers) == [["b"]])
  }

  @Test func `What was written stays where another member is refused, and the refused one is named`() async throws {
    let boiler = try bench(Self.group)
    var registers = Self.zeros
    try await wish(["a": 1, "b": 2], boiler)
    #expect(step(boiler, &registers, failing: ["b"]) == [["a", "b"]])
    #expect(boiler["a"].state == .confirmed && boiler["b"].state == .rejected && boiler["b"].message == "exception 3")
    #expect(registers["a"] == .integer(1))
    try await wish(["a": 3, "b": 2], boiler)
    #expect(step(boiler, &registers) == [] && boiler["a"].reason == "WaitsForGroup")
  }

  @Test func `A wish that changes before its group was fetched takes the whole group back`() async throws {
    let boiler = try bench(Self.group)
    try await wish(["a": 1, "b": 2], boiler)
    let reads = boiler.store.takeWork(Boiler.key).reads
    for read in reads {
      boiler.store.complete(
        read, of: Boiler.key,
        .success(Reading(.integer(0), sourceTime: boiler.clock.now, gatewayTime: boiler.clock.now)))
    }
    try await wish(["a": 1, "b": 3], boiler)
    let work = boiler.store.takeWork(Boiler.key)
    #expect(work.writes.isEmpty && Set(work.reads.map(\.property)).contains("b"))
  }

  static let faults: [(rules: [(String, WriteRules)], message: String?)] = [
    ([("a", WriteRules()), ("b", WriteRules(after: ["a"]))], nil),
    (
      [("a", WriteRules(after: ["ghost"]))],
      "property a: write.after names ghost, which the model does not have"
    ),
    ([("a", WriteRules(after: ["a"]))], "write.after goes in a circle: a waits for a"),
    (
      [("a", WriteRules(after: ["b"])), ("b", WriteRules(after: ["c"])), ("c", WriteRules(after: ["a"]))],
      "write.after goes in a circle: a waits for b waits for c waits for a"
    ),
    (
      [("a", WriteRules(group: "g")), ("b", WriteRules(after: ["a"], group: "g"))],
      "write.after goes in a circle: group g waits for group g"
    ),
    (
      [("a", WriteRules(group: "g")), ("b", WriteRules(after: ["a"])), ("c", WriteRules(after: ["b"], group: "g"))],
      "write.after goes in a circle: b waits for group g waits for b"
    ),
    ([("a", WriteRules()), ("b", WriteRules(after: ["a"])), ("c", WriteRules(after: ["a", "b"]))], nil),
  ]

  @Test(arguments: faults.indices)
  func `An order that cannot be kept is refused with the circle's names`(index: Int) {
    let (rules, message) = Self.faults[index]
    let fault = WriteOrder.fault(in: rules.map { (name: $0.0, rules: $0.1) })
    #expect(fault?.message == message && (fault?.isPermanent ?? true))
  }

  @Test func `The write fragment names dependencies and group`() throws {
    let rules = try WriteRules(write: ["after": ["a", "b"], "group": "g", "retries": 0])
    #expect(rules.after == ["a", "b"] && rules.group == "g" && rules.retries == 1)
    for fragment in [["after": "a"], ["after": [1]], ["group": ""]] as [JSONValue] {
      #expect(throws: DeviceError.self) { try WriteRules(write: fragment) }
    }
  }
}

@Suite struct ArrayTests {
  static func array(_ items: PropertyType, minimum: Double? = nil, maximum: Double? = nil) -> PropertyDefinition {
    PropertyDefinition(
      name: "curve", type: .array, access: .readWrite, minimum: minimum, maximum: maximum, items: items, maximumItems: 3
    )
  }

  static let wishes: [(PropertyDefinition, JSONValue, Value?, String)] = [
    (
      array(.integer), [1, 2.0, "18446744073709551615"], .object(.array([.integer(1), .integer(2), .unsigned(.max)])),
      ""
    ),
    (array(.number), [1, 2.5], .object(.array([.double(1), .double(2.5)])), ""),
    (array(.boolean), [true], .object(.array([.bool(true)])), ""),
    (array(.string), [], .object(.array([])), ""),
    (array(.integer), [1.5], nil, "[1.5] is an array; curve takes an array with elements of type integer"),
    (array(.string), "x", nil, #""x" is a string; curve takes an array with elements of type string"#),
    (array(.integer), [1, 2, 3, 4], nil, "[1,2,3,4] has 4 elements, more than the maximum 3"),
    (array(.number, minimum: 0, maximum: 5), [1, 6], nil, "6 is above the maximum 5"),
    (array(.integer, minimum: 0), [1, -1], nil, "-1 is below the minimum 0"),
  ]

  @Test(arguments: wishes)
  func `An array is judged element by element`(
    definition: PropertyDefinition, json: JSONValue, value: Value?, message: String
  ) {
    do throws(DesiredRejection) {
      let typed = try DesiredValidator().value(of: json, for: definition)
      #expect(typed == value)
    } catch {
      #expect(value == nil && error.message == message)
    }
  }

  static let comparisons: [(WriteRules, JSONValue, JSONValue, Bool)] = [
    (WriteRules(tolerance: 0.5), [1, 2.0], [1.4, 2], true),
    (WriteRules(tolerance: 0.5), [1, 2.0], [1.6, 2], false),
    (WriteRules(), [1, 2], [1, 2, 3], false),
    (WriteRules(), [.unsigned(.max)], [.unsigned(.max - 1)], false),
    (WriteRules(), [.unsigned(.max)], [.unsigned(.max)], true),
    (WriteRules(), ["a": 1, "b": [true]], ["b": [true], "a": 1.0], true),
    (WriteRules(), ["a": 1], ["a": 1, "b": 2], false),
    (WriteRules(), ["a": "1"], ["a": 1], false),
    (WriteRules(), ["a": .double(0.1)], ["a": .double(0.100000001)], true),
    (WriteRules(), ["a": 9_007_199_254_740_993], ["a": 9_007_199_254_740_992], false),
  ]

  @Test(arguments: comparisons)
  func `Arrays and objects are compared by typed value`(
    rules: WriteRules, desired: JSONValue, reported: JSONValue, holds: Bool
  ) {
    #expect(rules.holds(.object(desired), in: .object(reported)) == holds)
  }

  @Test func `A reported array is typed, kept over a restart and Bad where an element is not`() async throws {
    let directory = TemporaryDirectory()
    let clock = ManualClock()
    let properties = [(Self.array(.integer), WriteRules())]
    var boiler = try Boiler(in: directory, clock: clock, properties: properties)
    boiler.report("curve", .object([.double(1), "18446744073709551615"]))
    #expect(boiler["curve"].reading.value == .object(.array([.integer(1), .unsigned(.max)])))
    #expect(boiler["curve"].reading.value?.json == [1, "18446744073709551615"])
    for wrong in [[1.5], ["x"], [.double(.nan)], [1, 2, 3, 4]] as [JSONValue] {
      boiler.report("curve", .object(wrong))
      #expect(boiler["curve"].reading.quality == .bad)
    }
    await boiler.store.close()
    boiler = try Boiler(in: directory, clock: clock, properties: properties)
    #expect(boiler["curve"].reading.value == .object(.array([.integer(1), .unsigned(.max)])))
    await boiler.store.close()
  }
}
