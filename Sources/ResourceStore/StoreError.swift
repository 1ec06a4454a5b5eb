/// Why a store cannot be opened: one line that says where and what to do.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public var description: String { message }
  public init(message: String) { self.message = message }
}
