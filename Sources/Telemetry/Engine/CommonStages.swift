/// Which stages two lists of a pipeline have in common, in their order: the longest common subsequence.
struct CommonStages {
  /// By place in the new list, the place in the old one.
  private var origins: [Int?] = []
  private let formerCount: Int
  /// Places in the lists of what takes samples; the windows come after them.
  private let windows: (former: Int?, new: Int?)

  init(_ former: [PipelineSpecification.Stage], _ new: [PipelineSpecification.Stage]) {
    formerCount = former.count
    windows = (former.firstIndex(where: \.isLast), new.firstIndex(where: \.isLast))
    var lengths = [[Int]](repeating: [Int](repeating: 0, count: new.count + 1), count: former.count + 1)
    for old in former.indices.reversed() {
      for place in new.indices.reversed() {
        lengths[old][place] =
          former[old] == new[place]
          ? lengths[old + 1][place + 1] + 1 : max(lengths[old + 1][place], lengths[old][place + 1])
      }
    }
    var old = 0
    for place in new.indices {
      while old < former.count, former[old] != new[place], lengths[old + 1][place] > lengths[old][place + 1] {
        old += 1
      }
      if old < former.count, former[old] == new[place] {
        origins.append(old)
        old += 1
      } else {
        origins.append(nil)
      }
    }
  }

  /// Whether every former stage goes on.
  var keepsAll: Bool { origins.count { $0 != nil } == formerCount }

  var keepsWindows: Bool {
    guard let new = windows.new, let former = windows.former else { return false }
    return origins[new] == former
  }

  /// The new place of a former stage; the number of stages for a window's group.
  func stage(_ former: Int) -> Int? { origins.firstIndex { $0 == former } }

  /// A slot's state as ``PipelineCore/save(slot:to:includesWindows:)`` makes it, for the new stages.
  func translate(_ state: [UInt8]) throws(DecodingFault) -> [UInt8] {
    guard !state.isEmpty else { return [] }
    var input = ByteReader(state)
    var parts: [[UInt8]] = []
    while !input.isAtEnd { parts.append(try input.blob()) }
    let kept = origins.map { origin in origin.flatMap { $0 < parts.count ? parts[$0] : nil } ?? [] }
    guard kept.contains(where: { !$0.isEmpty }) else { return [] }
    var output = ByteWriter()
    for part in kept { output.blob(part) }
    return output.bytes
  }
}
