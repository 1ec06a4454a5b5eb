internal import CYaml

/// One step of a YAML stream, as libyaml's parser tells it.
struct YAMLEvent {
  enum Content {
    case streamStart, streamEnd, documentStart, documentEnd
    case scalar(text: String, anchor: String?, tag: String?, isPlain: Bool)
    case alias(String)
    case sequenceStart(anchor: String?, tag: String?)
    case sequenceEnd
    case mappingStart(anchor: String?, tag: String?)
    case mappingEnd
  }
  var content: Content
  /// Counted from 1.
  var line: Int
  var column: Int

  func error(_ message: String) -> YAMLError { YAMLError(message: message, line: line, column: column) }
}

/// Owns one libyaml parser over bytes held in memory.
final class EventReader {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>

  init(_ bytes: [UInt8]) {
    parser = .allocate(capacity: 1)
    precondition(yaml_parser_initialize(parser) == 1, "libyaml: out of memory")
    // libyaml reads the bytes as it goes, so they live as long as the parser.
    input = .allocate(capacity: max(bytes.count, 1))
    _ = input.update(fromContentsOf: bytes)
    yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
    input.deallocate()
  }

  /// The next event. After `streamEnd` no further call is allowed.
  func next() throws(YAMLError) -> YAMLEvent {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
    defer { yaml_event_delete(&event) }
    let mark = event.start_mark
    return YAMLEvent(content: content(of: event), line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }

  private func content(of event: yaml_event_t) -> YAMLEvent.Content {
    switch event.type {
    case YAML_STREAM_END_EVENT: return .streamEnd
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_ALIAS_EVENT: return .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let value = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      return .scalar(
        text: value, anchor: text(scalar.anchor), tag: text(scalar.tag),
        isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
    case YAML_SEQUENCE_START_EVENT:
      return .sequenceStart(anchor: text(event.data.sequence_start.anchor), tag: text(event.data.sequence_start.tag))
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      return .mappingStart(anchor: text(event.data.mapping_start.anchor), tag: text(event.data.mapping_start.tag))
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    default: return .streamStart
    }
  }

  private func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? { bytes.map { String(cString: $0) } }

  private func failure() -> YAMLError {
    let parser = parser.pointee
    var message = parser.problem.map { String(cString: $0) } ?? "unreadable YAML"
    if let context = parser.context { message += " (\(String(cString: context)))" }
    if parser.error == YAML_READER_ERROR {
      // The reader counts bytes, not lines.
      let before = input.prefix(Int(parser.problem_offset))
      let line = before.reduce(1) { $1 == 0x0A ? $0 + 1 : $0 }
      let column = before.count - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
      return YAMLError(message: message, line: line, column: column)
    }
    let mark = parser.problem_mark
    return YAMLError(message: message, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }
}
