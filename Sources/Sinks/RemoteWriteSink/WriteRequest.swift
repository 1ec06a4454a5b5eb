internal import SinkKit

/// The two messages of remote write.
enum WriteRequest: Int, Sendable, CaseIterable {
  /// `prometheus.WriteRequest` (Remote-Write 1.0).
  case version1 = 1
  /// `io.prometheus.write.v2.Request` (Remote-Write 2.0).
  case version2 = 2

  var contentType: String {
    switch self {
    case .version1: "application/x-protobuf"
    case .version2: "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    }
  }

  /// The header `X-Prometheus-Remote-Write-Version`.
  var versionField: String { self == .version1 ? "0.1.0" : "2.0.0" }

  func encoded(_ series: [MetricSeries]) -> [UInt8] {
    switch self {
    case .version1: Self.version1(series)
    case .version2: Self.version2(series)
    }
  }

  private static func version1(_ series: [MetricSeries]) -> [UInt8] {
    var writer = ProtobufWriter()
    for one in series {
      writer.message(1) { series in
        for label in one.labels {
          series.message(1) { pair in
            pair.string(1, label.name)
            pair.string(2, label.value)
          }
        }
        for sample in one.samples {
          series.message(2) { message in
            message.double(1, sample.value)
            message.int64(2, sample.milliseconds)
          }
        }
      }
    }
    return writer.bytes
  }

  private static func version2(_ series: [MetricSeries]) -> [UInt8] {
    // The first symbol is the empty one: what is not given refers to it.
    var symbols = [""]
    var places: [String: UInt64] = ["": 0]
    func place(of text: String) -> UInt64 {
      if let place = places[text] { return place }
      places[text] = UInt64(symbols.count)
      symbols.append(text)
      return UInt64(symbols.count - 1)
    }
    var body = ProtobufWriter()
    for one in series {
      body.message(5) { series in
        series.packed(1, one.labels.flatMap { [place(of: $0.name), place(of: $0.value)] })
        for sample in one.samples {
          series.message(2) { message in
            message.double(1, sample.value)
            message.int64(2, sample.milliseconds)
            if let start = sample.start { message.int64(3, start) }
          }
        }
        series.message(5) { metadata in
          metadata.varint(1, one.isCounter ? 1 : 2)
          if !one.unit.isEmpty { metadata.varint(4, place(of: one.unit)) }
        }
      }
    }
    var writer = ProtobufWriter()
    for symbol in symbols { writer.string(4, symbol) }
    return writer.bytes + body.bytes
  }
}
