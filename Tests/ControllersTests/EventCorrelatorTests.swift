import Controllers
import Documents
import Resources
import Testing

@Suite struct EventCorrelatorTests {
  let start = Timestamp(seconds: 1_800_000_000)

  func occurrence(_ message: String, reason: String = "Disconnected", object: String = "uid-1")
    -> EventCorrelator.Occurrence
  {
    EventCorrelator.Occurrence(
      object: object, objectName: "boiler-1", namespace: "default", type: "Warning", reason: reason, message: message)
  }

  @Test func `The same again raises the count of one event`() {
    var correlator = EventCorrelator()
    guard case .create(let identity, let key, "no answer") = correlator.handle(occurrence("no answer"), now: start)
    else { return #expect(Bool(false), "a first event is created") }
    #expect(key.namespace == "default" && key.name.hasPrefix("boiler-1."))
    #expect(
      correlator.handle(occurrence("no answer"), now: start + .seconds(5))
        == .count(identity, key, 2, message: "no answer"))
    correlator.forget(identity)
    guard case .create = correlator.handle(occurrence("no answer"), now: start + .seconds(6)) else {
      return #expect(Bool(false), "what was forgotten is created again")
    }
  }

  @Test func `Many messages of one reason become one event`() {
    var correlator = EventCorrelator()
    for number in 0..<10 {
      guard case .create(_, _, "\(number)") = correlator.handle(occurrence("\(number)"), now: start) else {
        return #expect(Bool(false), "\(number) is an event of its own")
      }
    }
    guard case .create(let identity, let key, let text) = correlator.handle(occurrence("10"), now: start) else {
      return #expect(Bool(false), "the first combined one is created")
    }
    #expect(text == "(combined from similar events): 10")
    #expect(
      correlator.handle(occurrence("11"), now: start)
        == .count(identity, key, 2, message: "(combined from similar events): 11"))
    // Another reason is not similar, and neither is anything after the window.
    guard case .create(_, _, "x") = correlator.handle(occurrence("x", reason: "Lost"), now: start),
      case .create(_, _, "12") = correlator.handle(occurrence("12"), now: start + .seconds(601))
    else { return #expect(Bool(false), "these stand alone") }
  }

  @Test func `An object has a burst, then one event in each refill; another object has its own`() {
    var correlator = EventCorrelator()
    for _ in 0..<25 { #expect(correlator.handle(occurrence("a"), now: start) != .drop) }
    #expect(correlator.handle(occurrence("a"), now: start) == .drop)
    #expect(correlator.handle(occurrence("a", object: "uid-2"), now: start) != .drop)
    #expect(correlator.handle(occurrence("a"), now: start + .seconds(299)) == .drop)
    #expect(correlator.handle(occurrence("a"), now: start + .seconds(601)) != .drop)
  }

  @Test func `Memory is bounded whatever happens`() {
    var limits = EventCorrelator.Limits()
    limits.memory = 64
    var correlator = EventCorrelator(limits: limits)
    for number in 0..<10_000 {
      _ = correlator.handle(occurrence("\(number)", object: "uid-\(number)"), now: start + .seconds(Int64(number)))
      #expect(correlator.size <= 3 * 64)
    }
  }
}
