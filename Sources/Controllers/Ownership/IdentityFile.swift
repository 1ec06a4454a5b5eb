internal import Glibc

/// Keeps a gateway's identity over restarts, so that one that is back in time goes on serving what it served. The file
/// is locked while the process runs: who has it knows that the process before is over.
final class IdentityFile: Sendable {
  private let descriptor: Int32
  let identity: GatewayIdentity

  /// Nil where the file cannot be opened, or another process has it.
  init?(path: String, gateway: String) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    self.descriptor = descriptor
    let bytes = [UInt8](unsafeUninitializedCapacity: 128) { buffer, count in
      count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
    }
    let run = String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    let isWhole = bytes.count > run.utf8.count && !run.isEmpty && run.utf8.allSatisfy { (0x2E...0x7A).contains($0) }
    identity = GatewayIdentity(
      gateway: gateway, run: isWhole ? run : String(UInt64.random(in: .min ... .max), radix: 16))
    if !isWhole { keep(identity) }
  }

  deinit { close(descriptor) }

  func keep(_ identity: GatewayIdentity) {
    let line = Array((identity.run + "\n").utf8)
    _ = pwrite(descriptor, line, line.count, 0)
    _ = ftruncate(descriptor, off_t(line.count))
  }
}
