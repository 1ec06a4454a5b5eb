/// The query of a request line: names and values in order, percent-decoded, `+` read as a space.
package struct APIQuery: Sendable, Equatable {
  package private(set) var items: [(name: String, value: String)] = []

  package init(_ text: String = "") {
    for part in text.split(separator: "&") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(halves[0]).percentDecoded(plusIsSpace: true) ?? String(halves[0])
      let raw = halves.count > 1 ? String(halves[1]) : ""
      items.append((name, raw.percentDecoded(plusIsSpace: true) ?? raw))
    }
  }

  /// The first value of `name`; nil where it is absent or empty.
  package subscript(name: String) -> String? {
    items.first { $0.name == name && !$0.value.isEmpty }?.value
  }

  /// Every value of `name`.
  package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }

  /// Whether `name` is given and not `false` or `0`: how Kubernetes reads booleans.
  package func flag(_ name: String) -> Bool { optionalFlag(name) ?? false }

  /// As ``flag(_:)``; nil where the name is absent.
  package func optionalFlag(_ name: String) -> Bool? {
    items.first { $0.name == name }.map { $0.value.lowercased() != "false" && $0.value != "0" }
  }

  package static func == (left: APIQuery, right: APIQuery) -> Bool {
    left.items.elementsEqual(right.items) { $0.name == $1.name && $0.value == $1.value }
  }
}

extension String {
  /// The text without its percent escapes (RFC 3986, section 2.1); nil for a broken escape or invalid UTF-8.
  package func percentDecoded(plusIsSpace: Bool = false) -> String? {
    var output: [UInt8] = []
    output.reserveCapacity(utf8.count)
    var bytes = utf8.makeIterator()
    func digit(_ byte: UInt8?) -> UInt8? {
      byte.flatMap { Character(UnicodeScalar($0)).hexDigitValue }.map(UInt8.init)
    }
    while let byte = bytes.next() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = digit(bytes.next()), let low = digit(bytes.next()) else { return nil }
        output.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: output.append(0x20)
      default: output.append(byte)
      }
    }
    return String(validating: output, as: UTF8.self)
  }
}
