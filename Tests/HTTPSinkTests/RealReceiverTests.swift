import DeviceKit
import Documents
import Foundation
import SinkConformance
import SinkKit
import TestSupport
import Testing

/// Debian's Prometheus, VictoriaMetrics and InfluxDB take what the sinks send, and tell it back: number for number, label
/// for label.
@Suite struct RealReceiverTests {
  /// Times in the last hours: receivers refuse what is older than their window.
  private static let start = Int64(Date().timeIntervalSince1970) - 7_200

  /// Windows and samples of two devices, with numbers that do not survive a decimal of few digits.
  private static let records: [TelemetryRecord] = {
    var generator = SystemRandomNumberGenerator()
    var records: [TelemetryRecord] = []
    for number in 0..<200 {
      for device in ["boiler-1", "kühler \"2\"\\x"] {
        var record = SinkUnderTest.record(
          number, device: device,
          [
            .init(name: "mean", value: .number(Double.random(in: -1e6...1e6, using: &generator))),
            .init(name: "count", value: .integer(Int64.random(in: 0...1_000, using: &generator))),
          ])
        record.time = Timestamp(milliseconds: (start + Int64(number) * 10) * 1_000 + Int64(number))
        record.windowStart = Timestamp(seconds: start + Int64(number) * 10 - 10)
        records.append(record)
      }
    }
    return records
  }()

  private static func expected(_ field: String, _ device: String) -> [[Double]] {
    records.filter { $0.series.device.name == device }.map { record in
      let value = record.fields.first { $0.name == field }?.value.number ?? .nan
      return [Double(record.time.nanoseconds / 1_000_000), value]
    }
  }

  private func check(_ database: Database, metric: String, field: String) async throws {
    for device in ["boiler-1", "kühler \"2\"\\x"] {
      let quoted = device.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      let series = try await eventually("\(metric) of \(device) can be read") {
        let series = try await database.samples("\(metric){device=\"\(quoted)\"}")
        return series.first?["values"]?.array?.count == 200 ? series : nil
      }
      #expect(series.count == 1)
      #expect(
        series[0]["metric"] == [
          "__name__": .string(metric), "device": .string(device), "namespace": "default", "node": "gateway-1",
          "model": "boiler", "pipeline": "default/conformance", "line": "a",
        ])
      let values: [[Double]] = (series[0]["values"]?.array ?? []).map { pair in
        let pair = pair.array ?? []
        return [((pair.first?.number ?? 0) * 1_000).rounded(), Double(pair.last?.string ?? "") ?? .nan]
      }
      let expected = Self.expected(field, device)
      #expect(values.map { $0[0] } == expected.map { $0[0] })
      for (value, expected) in zip(values.map { $0[1] }, expected.map { $0[1] }) {
        #expect(abs(value - expected) <= database.precision * abs(expected))
      }
    }
  }

  private func write(_ database: Database, version: Int) async throws {
    let kind = Kind(
      name: "prometheusRemoteWrite", path: "",
      fragment: ["version": .integer(Int64(version)), "labels": ["line": "{label:line}"]])
    let writer = try kind.writer(database.url("/api/v1/write"))
    for start in stride(from: 0, to: Self.records.count, by: 100) {
      #expect(await writer.send(Array(Self.records[start..<start + 100])) == .delivered)
    }
    try await check(database, metric: "temperature_mean", field: "mean")
    try await check(database, metric: "temperature_count", field: "count")
    await writer.close()
  }

  @Test(arguments: [1, 2]) func `Prometheus has every sample, by 1.0 or by falling back to it`(version: Int)
    async throws
  {
    try await write(try await Database.prometheus(), version: version)
  }

  @Test(arguments: [1, 2]) func `VictoriaMetrics has every sample`(version: Int) async throws {
    try await write(try await Database.victoriaMetrics(), version: version)
  }

  @Test func `Prometheus shows that a value is gone at once`() async throws {
    let database = try await Database.prometheus()
    let writer = try Kind(name: "prometheusRemoteWrite", path: "", fragment: [:]).writer(database.url("/api/v1/write"))
    var last = SinkUnderTest.record(1, [.init(name: "value", value: .integer(5))])
    last.time = Timestamp(seconds: Int64(Date().timeIntervalSince1970) - 30)
    var gone = SinkUnderTest.record(2, quality: .bad, [])
    gone.time = last.time + .seconds(10)
    #expect(await writer.send([last]) == .delivered)
    let query = "temperature{device=\"boiler-1\"}"
    func instant() async throws -> Int {
      let body = try await Database.get(database.url("/api/v1/query?" + Database.query([("query", query)])))
      return try JSONValue(parsing: body)[path: "data", "result"]?.array?.count ?? -1
    }
    try await eventually("the value is seen") { try await instant() == 1 }
    #expect(await writer.send([gone]) == .delivered)
    try await eventually("the value is gone") { try await instant() == 0 }
    await writer.close()
  }

  @Test func `what Prometheus has already is counted when it comes again, and the rest arrives`() async throws {
    let database = try await Database.prometheus()
    let kind = Kind(name: "prometheusRemoteWrite", path: "", fragment: ["labels": ["line": "{label:line}"]])
    let before = try kind.writer(database.url("/api/v1/write"))
    #expect(await before.send(Array(Self.records[0..<40])) == .delivered)
    await before.close()
    // As after a crash between the answer and its note: the batch comes again, by another writer, with new records.
    let after = try kind.writer(database.url("/api/v1/write"))
    guard case .deliveredExcept(let causes, let error) = await after.send(Array(Self.records[20..<60])) else {
      Issue.record("not told")
      return
    }
    // The newest sample of each of the two series is taken again: it is the same.
    #expect(causes == ["outOfOrder": 18], "\(error.message)")
    #expect(await after.send(Array(Self.records[60...])) == .delivered)
    try await check(database, metric: "temperature_mean", field: "mean")
    await after.close()
  }

  @Test func `InfluxDB has every value with its type`() async throws {
    let password = "pa ss'w0rd".replacing("'", with: "")
    let database = try await Database.influxDB(password: password)
    let credentials = TestCredentials(secrets: ["influx": ["username": "admin", "password": password]])
    let kind = Kind(
      name: "http", path: "",
      fragment: [
        "format": "influx", "compression": "gzip", "credentialsSecretRef": ["name": "influx"],
        "influx": ["database": "plant", "precision": "ns", "tags": ["line": "{label:line}"]],
      ])
    let writer = try kind.writer(database.url(""), [:], credentials)
    // The database is not there yet: the batch waits, and the error says what is missing.
    guard case .retry(let error, _) = await writer.send(Self.records) else {
      Issue.record("taken without a database")
      return
    }
    #expect(error.reason == "NotFound" && error.message.contains("plant"), "\(error.message)")
    _ = try await database.influx("CREATE DATABASE plant", password: password)
    #expect(await writer.send(Self.records) == .delivered)
    let odd = SinkUnderTest.record(
      1, property: "odd, = thing\\y",
      [
        .init(name: "text", value: .string("say \"x\", a=b c,d \\ and\nnew line, 温度")),
        .init(name: "flag", value: .boolean(true)), .init(name: "low", value: .integer(.min)),
        .init(name: "high", value: .integer(.max)), .init(name: "tiny", value: .number(.leastNonzeroMagnitude)),
      ])
    #expect(await writer.send([odd]) == .delivered)

    let answer = try await database.influx("SELECT * FROM temperature", on: "plant", password: password)
    let table = try #require(answer["results"]?.array?.first?["series"]?.array?.first)
    let columns = (table["columns"]?.array ?? []).compactMap(\.string)
    let rows = (table["values"]?.array ?? []).map { row in
      Dictionary(zip(columns, row.array ?? []), uniquingKeysWith: { $1 })
    }
    #expect(rows.count == Self.records.count)
    let byKey = Dictionary(
      rows.map { ("\($0["device"]?.string ?? "") \($0["time"]?.integer ?? 0)", $0) }, uniquingKeysWith: { $1 })
    for record in Self.records {
      let row = byKey["\(record.series.device.name) \(record.time.nanoseconds)"]
      #expect(row?["mean"]?.number == record.fields[0].value.number)
      #expect(row?["count"]?.integer == record.fields[1].value.json.integer)
      #expect(row?["line"] == "a" && row?["node"] == "gateway-1" && row?["quality"] == "Good")
      #expect(row?["namespace"] == "default" && row?["model"] == "boiler" && row?["pipeline"] == "default/conformance")
    }
    let types = try await database.influx(
      #"SHOW FIELD KEYS FROM "odd, = thing\\y""#, on: "plant", password: password)
    let kinds = types["results"]?.array?.first?["series"]?.array?.first?["values"]?.array?.compactMap(\.array) ?? []
    #expect(
      Set(kinds) == [
        ["flag", "boolean"], ["high", "integer"], ["low", "integer"], ["quality", "string"], ["text", "string"],
        ["tiny", "float"],
      ])
    let back = try await database.influx(
      #"SELECT "text", "low", "high", "tiny" FROM "odd, = thing\\y""#, on: "plant", password: password)
    let values = back["results"]?.array?.first?["series"]?.array?.first?["values"]?.array?.first?.array ?? []
    #expect(values.dropFirst().first == "say \"x\", a=b c,d \\ and\nnew line, 温度")
    #expect(values.dropFirst(2) == [.integer(.min), .integer(.max), .double(.leastNonzeroMagnitude)])

    // A field of another type: InfluxDB writes the rest and drops the one.
    let conflict = SinkUnderTest.record(300, [.init(name: "mean", value: .string("text"))])
    let good = SinkUnderTest.record(301, [.init(name: "mean", value: .number(1))])
    guard case .deliveredExcept(let causes, let told) = await writer.send([conflict, good]) else {
      Issue.record("the conflict is not told")
      return
    }
    #expect(causes == ["partialWrite": 1], "\(told.message)")
    #expect(!told.message.contains(password))
    await writer.close()
  }
}
