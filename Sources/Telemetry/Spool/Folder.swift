internal import Glibc

/// Operations on directories and whole files; each call blocks.
package enum Folder {
  /// Makes the directory and those above it where they are missing.
  package static func make(_ path: String) throws(SpoolError) {
    if mkdir(path, 0o750) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw SpoolError("make", path, code: errno)
    }
    try make(String(path[..<slash]))
    guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw SpoolError("make", path, code: errno) }
  }

  /// The names in a directory, sorted, without `.` and `..`; none where it does not exist.
  package static func names(in path: String) throws(SpoolError) -> [String] {
    guard let directory = opendir(path) else {
      if errno == ENOENT { return [] }
      throw SpoolError("list", path, code: errno)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
        field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes the directory's entries (files made, renamed, removed) safe on the medium.
  package static func synchronise(_ path: String) throws(SpoolError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SpoolError("open", path, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SpoolError("synchronise", path, code: errno) }
  }

  /// Removes a file; no error where there is none.
  package static func remove(_ path: String) throws(SpoolError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw SpoolError("remove", path, code: errno) }
  }

  /// Renames a file, in place of one that has the new name.
  package static func rename(_ path: String, to newPath: String) throws(SpoolError) {
    guard Glibc.rename(path, newPath) == 0 else { throw SpoolError("rename", path, code: errno) }
  }

  /// The whole content of a file; nil where there is none.
  package static func content(of path: String) throws(SpoolError) -> [UInt8]? {
    let file: StoredFile
    do {
      file = try StoredFile(path, .read)
    } catch {
      if error.reason == "NotFound" { return nil }
      throw error
    }
    return try file.read(at: 0, count: try file.size())
  }

  /// Puts `bytes` in place of a file's content: after a crash the file holds the old content or the new, whole.
  package static func replace(_ name: String, in directory: String, with bytes: [UInt8]) throws(SpoolError) {
    let path = "\(directory)/\(name)"
    let interim = "\(path).new"
    let file = try StoredFile(interim, .readWrite)
    try file.truncate(to: 0)
    try file.write(bytes, at: 0)
    try file.synchronise()
    try rename(interim, to: path)
    try synchronise(directory)
  }
}
