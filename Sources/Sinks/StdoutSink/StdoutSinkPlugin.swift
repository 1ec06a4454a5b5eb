internal import Documents
public import SinkKit

/// The sink `stdout`: records as lines on the gateway's standard output, for a log collector to take.
public struct StdoutSinkPlugin: SinkPlugin {
  public let name = "stdout"
  private let output: LineOutput
  private let patience: Duration

  /// - Parameters:
  ///   - descriptor: where lines go; not closed.
  ///   - patience: how long a reader may take nothing before the sink says so.
  public init(descriptor: Int32 = 1, patience: Duration = .seconds(10)) {
    output = LineOutput(descriptor)
    self.patience = patience
  }

  public let schema = """
    type: object
    description: Writes records as lines to the gateway's standard output. Its log goes to the standard error.
    properties:
      format:
        type: string
        enum: [ndjson, csv]
        default: ndjson
        description: ndjson writes one JSON object a record; csv one line a field, after a line with the columns.
    """

  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    let name = request.specification["format"]?.string ?? RecordLines.Format.ndjson.rawValue
    guard let format = RecordLines.Format(rawValue: name) else {
      throw SinkError(reason: "InvalidSpec", message: "spec.stdout.format: must be ndjson or csv, is '\(name)'")
    }
    return StdoutSinkWriter(output: output, format: format, patience: patience)
  }
}

/// Sends the records of one Sink to the output that all of them share.
actor StdoutSinkWriter: SinkWriter {
  private let output: LineOutput
  private let format: RecordLines.Format
  private let patience: Duration
  private var hasHead = false
  /// A batch that is out in part: offered again, it goes on where it stopped.
  private var begun: (records: [TelemetryRecord], lines: LineOutput.Lines)?

  init(output: LineOutput, format: RecordLines.Format, patience: Duration) {
    self.output = output
    self.format = format
    self.patience = patience
  }

  func send(_ records: [TelemetryRecord]) async -> SinkOutcome {
    guard !records.isEmpty else { return .delivered }
    let lines: LineOutput.Lines
    if let begun, begun.records == records {
      lines = begun.lines
    } else {
      let head = hasHead ? [] : RecordLines.head(of: format)
      lines = LineOutput.Lines(head + RecordLines.encode(records, as: format))
      begun = (records, lines)
    }
    do throws(SinkError) {
      try await output.write(lines, patience: patience)
      begun = nil
      hasHead = true
      return .delivered
    } catch {
      return .retry(error, after: nil)
    }
  }

  func close() async {}
}
