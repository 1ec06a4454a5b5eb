import ArgumentParser
import Documents

struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "Prints telemetry of the last hours that the gateway keeps.",
    discussion: """
      Names of devices, properties and pipelines may be patterns with * and ?. What is kept, and how long, is \
      spec.localQuery of the Gateway and of each Pipeline.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case table, csv, json }

  @OptionGroup var server: ServerOption
  @Option(name: [.customShort("n"), .long], help: "The namespace.")
  var namespace = "default"
  @Argument(help: "The device; absent: all.")
  var device: String?
  @Argument(help: "The property; absent: all.")
  var property: String?
  @Option(help: "The pipeline that the telemetry comes from; absent: all.")
  var pipeline: String?
  @Option(help: "The fields, such as mean,min,max; absent: all.")
  var field: String?
  @Option(help: "The first moment: a time (RFC 3339), or how long ago, such as 15m, 6h or 2d. (default: 1h)")
  var start: String?
  @Option(help: "The moment before which to stop. (default: now)")
  var end: String?
  @Option(help: "Joins records in steps, such as 1m; absent: each record.")
  var step: String?
  @Option(help: "The most points.")
  var limit = 2_000
  @Flag(help: "Lists the series that are kept instead.")
  var series = false
  @Option(name: .shortAndLong, help: "table, csv or json.")
  var output = Output.table

  func run() async throws {
    let client = try server.client()
    var parameters: [(name: String, value: String?)] = [
      ("pipeline", pipeline), ("device", device), ("property", property), ("limit", "\(limit)"),
    ]
    if !series { parameters += [("field", field), ("start", start), ("end", end), ("step", step)] }
    let path =
      "/selvedge/v1/namespaces/\(escaped(namespace))/telemetry/\(series ? "series" : "query")?\(queryText(parameters))"
    let document = try await client.json("GET", path)
    if output == .json {
      print(String(decoding: document.serialised(pretty: true), as: UTF8.self), terminator: "")
      return
    }
    let rows = series ? Self.seriesRows(document) : Self.pointRows(document)
    print(output == .csv ? csvText(rows) : textTable(rows), terminator: "")
    if document["continue"] != nil, output == .table {
      print("There is more: raise --limit, name a device, or take a longer --step.")
    }
  }

  private static func seriesRows(_ document: JSONValue) -> [[String]] {
    [["DEVICE", "PROPERTY", "UNIT", "PIPELINE", "FIELDS", "LABELS"]]
      + (document["series"]?.array ?? []).map { series in
        let labels = (series["labels"]?.object ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\(cell($0.value))" }
        return [
          cell(series["device"]), cell(series["property"]), cell(series["unit"]), cell(series["pipeline"]),
          (series["fields"]?.array ?? []).map { cell($0) }.joined(separator: ","), labels.joined(separator: ","),
        ]
      }
  }

  /// One line a point, with a column for each field that any of the series has.
  private static func pointRows(_ document: JSONValue) -> [[String]] {
    let all = document["series"]?.array ?? []
    var fields: [String] = []
    for field in all.flatMap({ $0["fields"]?.array ?? [] }).compactMap(\.string) where !fields.contains(field) {
      fields.append(field)
    }
    var rows = [["TIME", "DEVICE", "PROPERTY", "PIPELINE"] + fields.map { $0.uppercased() }]
    for series in all {
      let names = (series["fields"]?.array ?? []).compactMap(\.string)
      for point in series["points"]?.array ?? [] {
        let cells = point.array ?? []
        rows.append(
          [cell(cells.first), cell(series["device"]), cell(series["property"]), cell(series["pipeline"])]
            + fields.map { field in
              names.firstIndex(of: field).flatMap { $0 + 1 < cells.count ? cell(cells[$0 + 1]) : nil } ?? ""
            })
      }
    }
    return rows
  }
}
