internal import Glibc

/// An open file, closed with its last reference.
final class OpenFile: Sendable {
  let descriptor: Int32
  init(descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }
}
