internal import Documents

/// `/version`: the level of the Kubernetes API that is spoken, with the daemon's own version as build metadata.
enum VersionDocument {
  static func json(version: String) -> JSONValue {
    #if arch(arm64)
      let platform = "linux/arm64"
    #elseif arch(arm)
      let platform = "linux/arm"
    #else
      let platform = "linux/amd64"
    #endif
    // Semantic Versioning, section 10: build metadata is letters, digits, dots and hyphens.
    let build = String(version.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" })
    return [
      "major": "1", "minor": "33", "gitVersion": .string("v1.33.0+selvedge.\(build)"), "gitCommit": "",
      "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "swift",
      "platform": .string(platform),
    ]
  }
}
