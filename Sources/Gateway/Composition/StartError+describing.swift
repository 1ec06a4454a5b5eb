internal import Glibc
internal import NIOCore

extension StartError {
  /// What a failed start means to the person who started it.
  static func describing(_ error: any Error, listen: ListenAddress) -> any Error {
    guard let error = error as? IOError else { return error }
    switch error.errnoCode {
    case EADDRINUSE:
      return StartError(
        "the address \(listen) is in use: another gateway may be running here; stop it, or choose another with --listen"
      )
    case EACCES:
      return StartError("this user may not listen on \(listen): choose a port from 1024 up with --listen")
    case EADDRNOTAVAIL: return StartError("\(listen) is no address of this machine: choose another with --listen")
    default: return StartError("cannot listen on \(listen): \(error)")
    }
  }
}
