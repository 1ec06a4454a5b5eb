/// Which members of a JSON object somebody wants to read: the rest of the text is skipped.
public struct JSONProjection: Sendable {
  private struct Member: Sendable {
    var name: String
    var key: [UInt8]
    var projection: JSONProjection
  }
  /// Nil: the whole value.
  private var members: [Member]?

  /// The value as it is.
  public static let whole = JSONProjection()

  private init() {}

  /// What these paths through objects lead to. No path: nothing of an object. The empty path: everything.
  public init(paths: some Sequence<[String]>) {
    members = []
    for path in paths { insert(path[...]) }
  }

  public mutating func insert(_ path: [String]) { insert(path[...]) }

  private mutating func insert(_ path: ArraySlice<String>) {
    guard members != nil else { return }
    guard let first = path.first else {
      members = nil
      return
    }
    let key = Array(first.utf8)
    if let index = members?.firstIndex(where: { $0.key == key }) {
      members?[index].projection.insert(path.dropFirst())
    } else {
      var projection = JSONProjection(paths: EmptyCollection())
      projection.insert(path.dropFirst())
      members?.append(Member(name: first, key: key, projection: projection))
    }
  }

  var isWhole: Bool { members == nil }

  /// What is wanted of the member whose key stands in quotes at `range`; nil: nothing. Without a name where every
  /// member is wanted.
  func member(_ bytes: [UInt8], _ range: Range<Int>) -> (name: String?, projection: JSONProjection)? {
    guard let members else { return (nil, .whole) }
    for member in members where member.key.count == range.count {
      var index = range.lowerBound
      for byte in member.key {
        guard bytes[index] == byte else { break }
        index += 1
      }
      if index == range.upperBound { return (member.name, member.projection) }
    }
    return nil
  }
}
