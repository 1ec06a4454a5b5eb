internal import Documents
internal import Glibc

/// The keys that Secrets are encrypted under on the disk, from a file: one key of 32 bytes in base64 on each line, the
/// newest first; lines that begin with `#` are comments.
package struct SecretKeys: Sendable {
  struct Entry: Sendable {
    /// The start of SHA-256 over a fixed text and the key: tells keys apart and says nothing about them.
    var id: [UInt8]
    var key: SymmetricKey
  }
  static let idLength = 8
  /// Where the keys were read.
  let path: String
  /// The first seals; all open.
  let entries: [Entry]

  var newest: Entry { entries[0] }

  /// Reads the keys. Where there is no file, one with a new key is made if `mayCreate`, readable by its owner alone.
  /// Throws ``EncryptionError`` for a file that others may read or change, and for one that holds no key.
  package init(path: String, mayCreate: Bool) throws(EncryptionError) {
    self.path = path
    let text: String
    switch try SecretKeys.content(of: path) {
    case let content?: text = content
    case nil where mayCreate: text = try SecretKeys.create(path)
    case nil:
      throw EncryptionError(
        message:
          "the key file \(path) is missing, and Secrets are stored that were encrypted with it: put it back from where it was kept, or name it with --secret-key-file. Nothing was changed"
      )
    }
    var entries: [Entry] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let word = line.filter { !$0.isWhitespace }
      guard !word.isEmpty, !word.hasPrefix("#") else { continue }
      guard let bytes = Base64.bytes(of: word), let key = SymmetricKey(Array(bytes)) else {
        throw EncryptionError(
          message:
            "line \(index + 1) of the key file \(path) is no key: each line must be 32 bytes in base64, as `head -c 32 /dev/urandom | base64` prints them"
        )
      }
      let digest = SHA256.hash(Array("selvedge secret key".utf8) + key.bytes)
      entries.append(Entry(id: Array(digest.prefix(SecretKeys.idLength)), key: key))
    }
    guard !entries.isEmpty else {
      throw EncryptionError(message: "the key file \(path) holds no key: put it back from where it was kept")
    }
    self.entries = entries
  }

  /// The text of the file; nil where there is none.
  private static func content(of path: String) throws(EncryptionError) -> String? {
    func fault(_ what: String) -> EncryptionError {
      EncryptionError(message: "cannot use the key file \(path): \(what)")
    }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw fault(String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw fault(String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw fault("it is no regular file") }
    // A group may read: Kubernetes mounts Secrets so for a pod with an fsGroup.
    guard status.st_mode & 0o027 == 0 else {
      throw fault(
        "others than its owner may read or change it (mode \(String(status.st_mode & 0o777, radix: 8))); run: chmod 600 \(path)"
      )
    }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    var length = 0
    while length < bytes.count {
      let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + length, $0.count - length) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw fault(String(cString: strerror(errno))) }
      if count == 0 { break }
      length += count
    }
    guard length < bytes.count else { throw fault("it is too large for one") }
    return String(decoding: bytes.prefix(length), as: UTF8.self)
  }

  /// Makes a file with one new key, on the disk before it is used, and answers its text.
  private static func create(_ path: String) throws(EncryptionError) -> String {
    func fault() -> EncryptionError {
      EncryptionError(message: "cannot make the key file \(path): \(String(cString: strerror(errno)))")
    }
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    if !directory.isEmpty, mkdir(directory, 0o700) != 0, errno != EEXIST { throw fault() }
    let key = Base64.text(of: SymmetricKey().bytes)
    let text = "# Encrypts this gateway's Secrets. Keep a copy elsewhere: without it they are lost.\n\(key)\n"
    let partial = path + ".new"
    unlink(partial)
    let descriptor = Glibc.open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw fault() }
    let written = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    let isStored = written == text.utf8.count && fsync(descriptor) == 0
    close(descriptor)
    guard isStored, rename(partial, path) == 0 else {
      let error = fault()
      unlink(partial)
      throw error
    }
    let folder = Glibc.open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
    return text
  }
}
