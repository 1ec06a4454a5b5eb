import DeviceKit
import Documents
import SinkConformance
import SinkKit
import TestSupport
import Testing

@Suite struct OTLPTests {
  private func window(_ number: Int, _ fields: [TelemetryRecord.Field], property: String = "temperature")
    -> TelemetryRecord
  {
    var record = SinkUnderTest.record(number, property: property, fields)
    record.windowStart = record.time + .seconds(-10)
    return record
  }

  @Test func `each value has the form and the metric that the definition asks for`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try Kind.otlp.writer(
      receiver.url(""),
      [
        "counters": ["energy*"], "attributes": ["line": "{label:line}"],
        "resource": ["site": "{label:site|hall-3}", "service.name": "plant"],
      ])
    let records = [
      SinkUnderTest.sample(0, property: "energy", value: .unsigned(.max)),
      SinkUnderTest.sample(1, property: "flag", value: .boolean(true)),
      SinkUnderTest.sample(2, property: "exact", value: .integer(.min)),
      SinkUnderTest.record(3, property: "gone", quality: .bad, []),
      window(
        4,
        [
          .init(name: "mean", value: .number(0.1)), .init(name: "count", value: .integer(7)),
          .init(name: "sum", value: .number(-3.5)),
        ]),
    ]
    #expect(await writer.send(records) == .delivered)
    let values = try await receiver.values()
    func value(_ name: String) throws -> JSONValue { try #require(values.first { $0["name"] == .string(name) }) }
    #expect(try value("energy..value")["form"] == "as_double")
    #expect(try value("energy..value")["kind"] == "sum")
    #expect(try value("energy..value")["temporality"] == 2)
    #expect(try value("energy..value")["monotonic"] == true)
    #expect(try value("flag..value")["form"] == "as_int")
    #expect(try value("exact..value")["value"] == .integer(.min))
    #expect(try value("exact..value")["kind"] == "gauge")
    #expect(try value("gone..value")["form"] == .null)
    let count = try value("temperature..count")
    #expect(count["kind"] == "sum" && count["temporality"] == 1 && count["monotonic"] == true)
    #expect(count["unit"] == "{sample}" && count["form"] == "as_int")
    #expect(count["start"]?.integer == records[4].windowStart?.nanoseconds)
    #expect(count["ns"]?.integer == records[4].time.nanoseconds)
    let sum = try value("temperature..sum")
    #expect(sum["temporality"] == 1 && sum["monotonic"] == false && sum["unit"] == "Cel")
    #expect(try value("temperature..mean")["kind"] == "gauge")
    #expect(
      sum["resource"] == [
        "service.name": "plant", "host.name": "gateway-1", "device.id": "boiler-1", "device.model.identifier": "boiler",
        "selvedge.namespace": "default", "site": "hall-3",
      ])
    #expect(sum["attributes"] == ["selvedge.pipeline": "default/conformance", "line": "a"])
    let request = try #require(try await receiver.requests().first)
    #expect(request["path"] == "/v1/metrics" && request[path: "fields", "content-encoding"] == "gzip")
    #expect(request[path: "fields", "content-type"] == "application/x-protobuf")
    await writer.close()
  }

  @Test func `a counter's start moves when it begins anew, and not because a batch is sent again`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try Kind.otlp.writer(receiver.url(""), ["counters": ["energy"]])
    func records(_ values: [Int64], from number: Int) -> [TelemetryRecord] {
      values.enumerated().map { SinkUnderTest.sample(number + $0, property: "energy", value: .integer($1)) }
    }
    #expect(await writer.send(records([5, 6, 9], from: 0)) == .delivered)
    try await receiver.behave(["code": 503])
    let second = records([9, 12, 2, 3], from: 3)
    if case .retry = await writer.send(second) {} else { Issue.record("delivered") }
    #expect(await writer.send(second) == .delivered)
    let starts = try await receiver.values().map { $0["start"]?.integer }
    let first = SinkUnderTest.sample(0).time.nanoseconds
    let reset = SinkUnderTest.sample(5).time.nanoseconds
    #expect(starts == [first, first, first, first, first, reset, reset])
    await writer.close()
  }

  @Test func `what the receiver rejects in part is counted and not sent again`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try Kind.otlp.writer(receiver.url(""))
    // ExportMetricsServiceResponse { partial_success { rejected_data_points: 2, error_message: "too old" } }
    try await receiver.behave(
      ["hex": "0a0b080212 07746f6f206f6c64", "fields": ["Content-Type": "application/x-protobuf"]])
    let records = (0..<5).map { SinkUnderTest.sample($0) }
    guard case .deliveredExcept(let causes, let error) = await writer.send(records) else {
      Issue.record("not told")
      return
    }
    #expect(causes == ["rejectedByReceiver": 2])
    #expect(error.message == "the receiver rejected 2 data points: too old")
    #expect(await writer.send(records) == .delivered)
    await writer.close()
  }

  @Test func `a warning without a rejection is a success, and a Status tells its message`() async throws {
    let receiver = try await ForeignReceiver()
    let writer = try Kind.otlp.writer(receiver.url(""))
    try await receiver.behave(
      ["hex": "0a0612046e6f7465", "fields": ["Content-Type": "application/x-protobuf"]],
      // google.rpc.Status { code: 3, message: "bad name" }
      ["code": 400, "hex": "0803120862616420 6e616d65", "fields": ["Content-Type": "application/x-protobuf"]])
    #expect(await writer.send([SinkUnderTest.sample(0)]) == .delivered)
    guard case .refused(let error) = await writer.send([SinkUnderTest.sample(1)]) else {
      Issue.record("not refused")
      return
    }
    #expect(error.message == "the receiver answered 400: bad name")
    await writer.close()
  }

  @Test(arguments: [500, 501, 408, 505]) func `only four statuses are tried again`(code: Int) async throws {
    let receiver = try await ForeignReceiver()
    let writer = try Kind.otlp.writer(receiver.url(""))
    try await receiver.behave(["code": .integer(Int64(code))])
    guard case .refused = await writer.send([SinkUnderTest.sample(0)]) else {
      Issue.record("\(code) is tried again")
      return
    }
    await writer.close()
  }
}
