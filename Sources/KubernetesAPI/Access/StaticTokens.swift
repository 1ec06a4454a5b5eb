/// Bearer tokens and whom each stands for, in Kubernetes' static token format: a line `token,user,uid,"group1,group2"`,
/// the groups left out where there are none (RFC 4180 for quotes).
public struct StaticTokens: Sendable {
  private var entries: [(token: [UInt8], user: UserInfo)] = []

  /// No token is known.
  public init() {}

  /// Reads the text of a file. Errors name the line and never hold a token.
  public init(text: String) throws(AccessFileError) {
    // A carriage return and a line feed are one character here.
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      guard !line.allSatisfy({ $0 == " " || $0 == "\t" }) else { continue }
      let place = "line \(index + 1)"
      guard let fields = Self.fields(of: line) else { throw AccessFileError("\(place): a quote is not closed") }
      guard fields.count == 3 || fields.count == 4 else {
        throw AccessFileError(
          "\(place): found \(fields.count) columns; write token,user,uid or token,user,uid,\"group1,group2\"")
      }
      let token = Array(fields[0].utf8)
      guard !token.isEmpty else { throw AccessFileError("\(place): the token is empty") }
      guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw AccessFileError("\(place): a token is of printable ASCII without spaces")
      }
      guard !fields[1].isEmpty else { throw AccessFileError("\(place): the user is empty") }
      guard !entries.contains(where: { $0.token == token }) else {
        throw AccessFileError("\(place): an earlier line has the same token")
      }
      let groups = fields.count < 4 ? [] : fields[3].split(separator: ",").map { Self.trimmed($0) }
      entries.append((token, UserInfo(name: fields[1], uid: fields[2], groups: groups.filter { !$0.isEmpty })))
    }
  }

  /// How many tokens are so short that they may be guessed.
  public var shortTokens: Int { entries.count { $0.token.count < 16 } }

  /// Whom the token stands for. The time it takes does not tell which token comes close.
  public func user(of token: some Sequence<UInt8>) -> UserInfo? {
    let token = Array(token)
    var found: UserInfo?
    for entry in entries where Self.isEqual(entry.token, token) { found = entry.user }
    return found?.authenticated
  }

  /// The token of a user; nil where the file has none.
  public func token(of user: String) -> String? {
    entries.first { $0.user.name == user }.map { String(decoding: $0.token, as: UTF8.self) }
  }

  /// Looks at every byte of `secret`, whatever `guess` is.
  private static func isEqual(_ secret: [UInt8], _ guess: [UInt8]) -> Bool {
    var difference = secret.count ^ guess.count
    for index in secret.indices {
      let byte = guess.isEmpty ? 0 : guess[index % guess.count]
      difference |= Int(secret[index] ^ byte)
    }
    return difference == 0 && !secret.isEmpty
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  /// The columns of a line; nil where a quote stays open.
  private static func fields(of line: Substring) -> [String]? {
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var rest = line[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isQuoted && rest.first == "\"":
        rest.removeFirst()
        field.append("\"")
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        fields.append(trimmed(field[...]))
        field = ""
      default: field.append(character)
      }
    }
    guard !isQuoted else { return nil }
    return fields + [trimmed(field[...])]
  }
}
