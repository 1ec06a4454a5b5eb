internal import Glibc

/// Small files: tokens, certificates, kubeconfigs.
enum FileContent {
  /// Nil where the file cannot be read, or is larger than any of these can be (1 MiB).
  static func bytes(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 << 10)
    while content.count <= 1 << 20 {
      let count = read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { return content }
      content.append(contentsOf: piece[..<count])
    }
    return nil
  }

  static func exists(_ path: String) -> Bool { access(path, R_OK) == 0 }
}

extension String {
  /// Without white space at its ends.
  var trimmed: String {
    let rest = drop(while: \.isWhitespace)
    return String(rest.reversed().drop(while: \.isWhitespace).reversed())
  }
}
