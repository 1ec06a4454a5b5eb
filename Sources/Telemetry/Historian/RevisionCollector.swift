/// A window of one series among those wanted.
struct WindowName: Hashable {
  var slot: Int
  var start: Int64
}

/// Finds the windows that were put out again.
final class RevisionCollector: QueryCollector {
  private let window: Range<Int64>
  private(set) var latest: [WindowName: Int64] = [:]
  /// More are not looked at: the answer would be wrong.
  static let most = 100_000
  private(set) var isOverfull = false

  init(_ window: Range<Int64>) { self.window = window }

  func take(_ columns: RecordColumns, _ slots: [Int?]) -> Bool {
    guard let revision = columns.layout.fields.firstIndex(of: PipelineSpecification.Aggregate.revision) else {
      return true
    }
    for (row, slot) in slots.enumerated() {
      guard let slot, window.contains(columns.starts[row]),
        let number = columns.number(revision, of: row).exact.map({ Int64(clamping: $0) }), number > 0
      else { continue }
      let name = WindowName(slot: slot, start: columns.starts[row])
      latest[name] = max(latest[name] ?? 0, number)
    }
    isOverfull = latest.count > Self.most
    return !isOverfull
  }
}
