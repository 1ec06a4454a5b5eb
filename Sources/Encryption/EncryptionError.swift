/// Why bodies cannot be sealed or opened: one line that says where and what to do.
package struct EncryptionError: Error, Sendable, Equatable, CustomStringConvertible {
  package var message: String
  package var description: String { message }
  package init(message: String) { self.message = message }
}
