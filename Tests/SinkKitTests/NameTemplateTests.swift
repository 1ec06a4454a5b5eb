import DeviceKit
import Documents
import SinkKit
import Testing

@Suite struct NameTemplateTests {
  static let record = TelemetryRecord(
    series: SeriesDescription(
      node: "gw-1", device: DeviceKey(namespace: "plant", name: "room-1"), property: "temperature", model: "sensor",
      unit: "Cel", labels: ["line": "a", "example.com/hall": "4"]),
    pipeline: "plant/line-a", sequence: 1, time: Timestamp(seconds: 0), quality: .good, fields: [])

  @Test(arguments: [
    ("{namespace}/{node}/{device}/{property}", "plant/gw-1/room-1/temperature"),
    ("{model}.{unit}.{field}", "sensor.Cel.mean"), ("{pipeline}", "plant/line-a"),
    ("l{label:line}h{label:example.com/hall}", "lah4"), ("{label:none}", ""), ("{label:none|x}", "x"),
    ("{label:line|x}", "a"), ("plain", "plain"), ("", ""), ("}{device}}", "}room-1}"),
  ])
  func wordsAreReplaced(text: String, name: String) throws {
    #expect(try NameTemplate(text, namesFields: true).name(of: Self.record, field: "mean") == name)
  }

  @Test func onlyWhatWordsBringIsEscaped() throws {
    let name = try NameTemplate("a/{pipeline}").name(of: Self.record) { text in
      String(text.map { $0 == "/" ? "_" : $0 })
    }
    #expect(name == "a/plant_line-a")
  }

  @Test(arguments: [
    ("{devise}", "'{devise}' is unknown"), ("{device", "'{' without '}'"), ("{}", "'{}' is unknown"),
    ("{label:}", "unknown"), ("{field}", "'{field}' is unknown"), ("{text}", "unknown"),
  ])
  func aTextThatIsNoTemplateIsRefused(text: String, reason: String) {
    #expect { _ = try NameTemplate(text) } throws: { "\($0)".contains(reason) }
  }
}
