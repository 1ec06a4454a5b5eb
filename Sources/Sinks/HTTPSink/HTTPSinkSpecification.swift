internal import Documents
internal import HTTPDelivery
internal import SinkKit

/// The fragment `http` of a Sink's spec, checked.
struct HTTPSinkSpecification: Sendable {
  enum Format: String, Sendable, CaseIterable {
    case json, ndjson, influx
  }

  /// Where in an InfluxDB the points go.
  enum Target: Sendable, Hashable {
    /// The URL as it is: what else understands line protocol.
    case url
    /// InfluxDB 1: `/write` with database and retention policy.
    case database(String, retentionPolicy: String?)
    /// InfluxDB 2: `/api/v2/write` with organisation and bucket.
    case bucket(String, org: String)
  }

  var receiver: ReceiverSpecification
  var format: Format
  var compression: BodyCompression
  var target: Target
  var lines: LineProtocol

  init(_ json: JSONValue, namespace: String) throws(SinkError) {
    let reader = FieldReader(json, at: "spec.http")
    receiver = try ReceiverSpecification(reader, addressField: "url", namespace: namespace)
    format = try reader.choice("format", Format.self) ?? .json
    compression = try reader.choice("compression", BodyCompression.self) ?? .none
    target = .url
    let given = try reader.object("influx")
    guard given == nil || format == .influx else { throw reader.error("influx", "is for format: influx only") }
    let influx = given ?? FieldReader([:], at: "spec.http.influx")
    lines = LineProtocol(template: try influx.template("measurement", standard: "{property}"))
    lines.tags = try influx.templates("tags")
    lines.precision = try influx.choice("precision", LineProtocol.Precision.self) ?? .ns
    let database = try influx.string("database")
    let bucket = try influx.string("bucket")
    switch (database, bucket) {
    case (let database?, nil): target = .database(database, retentionPolicy: try influx.string("retentionPolicy"))
    case (nil, let bucket?):
      guard let org = try influx.string("org") else { throw influx.error("org", "is required with bucket") }
      target = .bucket(bucket, org: org)
    case (nil, nil): break
    default: throw influx.error("bucket", "excludes database: the one is InfluxDB 2, the other InfluxDB 1")
    }
    // InfluxDB 1 is built without unsigned integers.
    if case .database = target { lines.hasUnsigned = false }
  }

  /// The URL that a batch is posted to.
  var url: String {
    guard format == .influx else { return receiver.address.url() }
    let precision = ("precision", lines.precision.parameter(isVersion2: target.isVersion2))
    switch target {
    case .url: return receiver.address.url()
    case .database(let database, let retentionPolicy):
      let policy = retentionPolicy.map { [("rp", $0)] } ?? []
      return receiver.address.url(appending: "/write", parameters: [("db", database)] + policy + [precision])
    case .bucket(let bucket, let org):
      return receiver.address.url(
        appending: "/api/v2/write", parameters: [("org", org), ("bucket", bucket), precision])
    }
  }
}

extension HTTPSinkSpecification.Target {
  var isVersion2: Bool { if case .bucket = self { true } else { false } }
}
