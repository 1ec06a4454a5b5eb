internal import Documents
package import Resources

/// A list's text, made element by element; pages after the first are fetched when their turn comes.
package struct ListBody: Sendable {
  private let rendering: ObjectRendering
  /// Asked for the pages after the first; nil where the client pages by itself.
  private let following: (@Sendable (_ continueToken: String) async throws(APIStatus) -> ListPage)?
  private let isPretty: Bool
  private var page: ListPage
  private var position = 0
  /// What stands before the next element.
  private var opening: [UInt8]
  private var isOver = false

  private static let pieceSize = 32 * 1024

  /// - Parameter first: already fetched, so that its errors could become a Status.
  init(
    rendering: ObjectRendering, first: ListPage,
    following: (@Sendable (_ continueToken: String) async throws(APIStatus) -> ListPage)?, isPretty: Bool
  ) {
    self.rendering = rendering
    self.following = following
    self.isPretty = isPretty
    page = first
    var metadata: JSONValue = ["resourceVersion": .string(first.resourceVersion.description)]
    if following == nil {
      if let token = first.continueToken { metadata["continue"] = .string(token) }
      if let count = first.remainingItemCount { metadata["remainingItemCount"] = .integer(Int64(count)) }
    }
    let (frame, key) = rendering.listFrame(metadata: metadata)
    opening = frame.serialised(pretty: isPretty)
    while let last = opening.popLast(), last != UInt8(ascii: "}") {}
    opening.append(UInt8(ascii: ","))
    JSONValue.write(string: key, to: &opening)
    opening.append(contentsOf: ":[".utf8)
  }

  /// The next piece of about 32 KiB; nil at the end. An error in a later page leaves the text without its end, so
  /// that no client takes it for whole.
  package mutating func next() async throws(APIStatus) -> [UInt8]? {
    guard !isOver else { return nil }
    var text: [UInt8] = []
    text.reserveCapacity(Self.pieceSize + Self.pieceSize / 4)
    while true {
      while position < page.count {
        text.append(contentsOf: opening)
        opening = [UInt8(ascii: ",")]
        switch page.items {
        case .objects(let objects):
          text.append(contentsOf: rendering.item(objects[position]).serialised(pretty: isPretty))
        case .texts(let texts): try rendering.append(itemFrom: texts[position], to: &text)
        }
        position += 1
        if text.count >= Self.pieceSize { return text }
      }
      guard let following, let token = page.continueToken else { break }
      page = try await following(token)
      position = 0
    }
    isOver = true
    if opening.count > 1 { text.append(contentsOf: opening) }
    text.append(contentsOf: "]}\n".utf8)
    return text
  }
}
