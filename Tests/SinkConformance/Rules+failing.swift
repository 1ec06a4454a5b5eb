import DeviceKit
import Documents
import SinkKit
import TestSupport
import Testing

extension SinkConformance {
  static let failing: [SinkRule] = [
    SinkRule("Without a receiver a batch is kept for later, and the error says why", needs: [.outage]) { s in
      let writer = try s.writer()
      let records = (0..<10).map { SinkUnderTest.sample($0) }
      try await s.deliver(records, by: writer)
      try await s.takeAway()
      let more = (10..<20).map { SinkUnderTest.sample($0) }
      for _ in 0..<3 {
        if let error = s.failure(await writer.send(more)) { s.examine(error) }
      }
      try await s.bringBack()
      try await s.deliver(more, by: writer)
      let arrivals = try await s.await(records + more)
      #expect(SinkUnderTest.isOrdered(arrivals))
      await writer.close()
    },
    SinkRule("A receiver that was away at the start is found", needs: [.outage]) { s in
      try await s.takeAway()
      let writer = try s.writer()
      if let error = s.failure(await writer.send([SinkUnderTest.sample(1)])) { s.examine(error) }
      try await s.bringBack()
      try await s.deliver([SinkUnderTest.sample(1)], by: writer)
      try await s.await([SinkUnderTest.sample(1)])
      await writer.close()
    },
    SinkRule("Nothing is lost and nothing overtakes when the receiver vanishes again and again", needs: [.outage]) {
      s in
      let writer = try s.writer()
      let batches = (0..<40).map { batch in
        (0..<25).flatMap { number in
          ["a", "b"].map { SinkUnderTest.sample(batch * 25 + number, device: $0) }
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for records in batches { try await s.deliver(records, by: writer) }
        }
        group.addTask {
          for _ in 0..<3 {
            try await s.takeAway()
            try await s.bringBack()
          }
        }
        try await group.waitForAll()
      }
      let arrivals = try await s.await(batches.flatMap { $0 })
      #expect(SinkUnderTest.isOrdered(arrivals))
      await writer.close()
    },
    SinkRule("A cancelled send returns, and the batch can be sent again", needs: [.outage]) { s in
      let writer = try s.writer()
      let records = (0..<200).map { SinkUnderTest.sample($0) }
      try await s.deliver([SinkUnderTest.sample(0, device: "first")], by: writer)
      try await s.takeAway()
      let sending = Task { await writer.send(records) }
      sending.cancel()
      if let error = s.failure(await sending.value) { s.examine(error) }
      try await s.bringBack()
      try await s.deliver(records, by: writer)
      #expect(SinkUnderTest.isOrdered(try await s.await(records)))
      await writer.close()
    },
    SinkRule("Closing without a receiver returns", needs: [.outage]) { s in
      let writer = try s.writer()
      try await s.deliver([SinkUnderTest.sample(1)], by: writer)
      try await s.takeAway()
      _ = await writer.send([SinkUnderTest.sample(2)])
      await writer.close()
    },
    SinkRule("What the receiver will never take is refused, and what follows is delivered", needs: [.refusal]) { s in
      let poison = try #require(s.poison)
      let writer = try s.writer()
      try await s.deliver([SinkUnderTest.sample(1)], by: writer)
      let outcome = try await eventually("an answer other than a retry") {
        let outcome = await writer.send([poison])
        if case .retry = outcome { return SinkOutcome?.none }
        return outcome
      }
      if case .refused(let error) = outcome {
        s.examine(error)
      } else {
        Issue.record("the poison is delivered")
      }
      try await s.deliver([SinkUnderTest.sample(2)], by: writer)
      try await s.await([SinkUnderTest.sample(1), SinkUnderTest.sample(2)])
      await writer.close()
    },
    SinkRule("Wrong credentials destroy no data and tell no secret", needs: [.credentials]) { s in
      let make = try #require(s.misconfigured)
      let writer = try make()
      for number in 0..<3 {
        if let error = s.failure(await writer.send([SinkUnderTest.sample(number)])) { s.examine(error) }
      }
      await writer.close()
    },
  ]

  static let naming: [SinkRule] = [
    SinkRule("Names arrive, whatever they contain", needs: [.anyNames]) { s in
      let writer = try s.writer()
      let names = [
        "simple", "with space", "a/b/c", "+", "#", "per%cent", "quote\"d", "back\\slash", "com,ma", "equals=sign",
        "Kühlgerät-温度", "$SYS", "{braces}", "dot.ted", "semi;colon", "new\nline", "*", "-", "_",
      ]
      let records = names.enumerated().flatMap { index, name in
        [
          SinkUnderTest.sample(index, device: name), SinkUnderTest.sample(index, device: "d", property: name),
        ]
      }
      try await s.deliver(records, by: writer)
      try await s.await(records)
      await writer.close()
    }
  ]
}
