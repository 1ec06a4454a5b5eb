public import Documents

/// What a program was built from, as scripts/stamp.sh writes it into the ELF section `.selvedge.build`.
public struct BuildStamp: Sendable, Hashable {
  /// The commit's hash, with `-modified` where files differed from it.
  public var commit: String
  /// The commit's date (RFC 3339), not the build's: the same commit gives the same bytes.
  public var date: String
  public var compiler: String
  /// The Swift packages that are linked in, with their versions, by name.
  public var dependencies: [String: String]

  /// Of the program that runs; nil where it was built without a stamp, as `swift build` does.
  public static let ofThisProgram = BuildStamp(ofProgramAt: "/proc/self/exe")

  /// Nil where the file is no program or has no readable stamp.
  package init?(ofProgramAt path: String) {
    guard let bytes = ELFSection.bytes(named: ".selvedge.build", inFileAt: path),
      let document = try? JSONValue(parsing: bytes),
      let commit = document["commit"]?.string, let date = document["date"]?.string
    else { return nil }
    self.commit = commit
    self.date = date
    compiler = document["compiler"]?.string ?? "unknown"
    dependencies = (document["dependencies"]?.object ?? [:]).reduce(into: [:]) { $0[$1.key] = $1.value.string }
  }

  /// What `selvedge version` prints, without the last line's end.
  public static func text(of stamp: BuildStamp?) -> String {
    guard let stamp else { return "selvedge \(GatewayVersion.text)\ncommit unknown: built without scripts/stamp.sh" }
    let packages = stamp.dependencies.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return
      (["selvedge \(GatewayVersion.text)", "commit \(stamp.commit) of \(stamp.date)", stamp.compiler] + packages)
      .joined(separator: "\n")
  }

  /// The same as a document; `commit` is null where there is no stamp.
  public static func document(of stamp: BuildStamp?) -> JSONValue {
    var result: JSONValue = ["version": .string(GatewayVersion.text), "commit": .null]
    guard let stamp else { return result }
    result["commit"] = .string(stamp.commit)
    result["date"] = .string(stamp.date)
    result["compiler"] = .string(stamp.compiler)
    var packages: JSONValue = [:]
    for (name, version) in stamp.dependencies { packages[name] = .string(version) }
    result["dependencies"] = packages
    return result
  }
}
