import Synchronization

/// A number that a scripted peer and its test share.
final class SharedRegister: Sendable {
  private let state: Mutex<UInt16>
  init(_ value: UInt16) { state = Mutex(value) }
  var value: UInt16 {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}
