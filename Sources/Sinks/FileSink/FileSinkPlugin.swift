public import DeviceKit
internal import Documents
public import SinkKit

/// The sink `file`: records as lines of a file, under one folder that the operator has named.
public struct FileSinkPlugin: SinkPlugin {
  public let name = "file"
  /// No file outside it is ever touched.
  public let folder: String
  private let clock: WallClock

  public init(folder: String, clock: WallClock = .system) {
    self.folder = folder
    self.clock = clock
  }

  public var schema: String {
    """
    type: object
    description: Appends records to a file under the gateway's folder for file sinks.
    required: [path]
    x-kubernetes-validations:
    - rule: "!self.path.startsWith('/') && !self.path.matches('(^|/)[.][.](/|$)')"
      message: 'must be relative to the folder for file sinks, without ..'
      fieldPath: .path
    properties:
      path:
        type: string
        minLength: 1
        maxLength: 1024
        description: Relative to the folder for file sinks; no "..", no symbolic links.
      format:
        type: string
        enum: [ndjson, csv]
        default: ndjson
        description: ndjson writes one JSON object a record; csv writes one line a field.
      fsync:
        type: string
        enum: [Batch, System]
        default: Batch
        description: Batch acknowledges a batch when it is safe from a power cut; System when the system has it.
      rotate:
        type: object
        description: When the file becomes path.1, path.1 becomes path.2, and so on; keep of them stay.
        x-kubernetes-validations:
        - rule: has(self.maxBytes) || has(self.every)
          message: 'must say when: maxBytes, every, or both'
        properties:
          maxBytes:
            x-kubernetes-int-or-string: true
            minimum: 4096
            pattern: "\(Quantity.bytesPattern)"
            description: Before a batch that would make it larger.
          every: {$use: period, description: 'At the multiples of this duration since 1970, in UTC, with the first batch after it; at least 1m.'}
          keep:
            type: integer
            minimum: 1
            maximum: 1000
            default: 5
          gzip:
            type: boolean
            default: false
            description: Whether files put aside are compressed, to path.1.gz.
    """
  }

  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    FileSinkWriter(try FileSinkSpecification(request.specification), folder: folder) { [clock] in clock.now }
  }
}
