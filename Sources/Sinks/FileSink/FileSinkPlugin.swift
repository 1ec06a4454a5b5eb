internal import DeviceKit
internal import Documents
public import SinkKit

/// The sink `file`: records as lines of a file, under one folder that the operator has named.
public struct FileSinkPlugin: SinkPlugin {
  public let name = "file"
  /// No file outside it is ever touched.
  public let folder: String

  public init(folder: String) { self.folder = folder }

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
      rotate:
        type: object
        description: At maxBytes the file becomes path.1, path.1 becomes path.2, and so on; keep of them stay.
        required: [maxBytes]
        properties:
          maxBytes:
            x-kubernetes-int-or-string: true
            minimum: 4096
            pattern: "\(Quantity.bytesPattern)"
          keep:
            type: integer
            minimum: 1
            maximum: 1000
            default: 5
    """
  }

  public func writer(for request: SinkRequest) throws(SinkError) -> any SinkWriter {
    FileSinkWriter(try FileSinkSpecification(request.specification), folder: folder)
  }
}
