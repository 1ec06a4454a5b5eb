package import Documents
package import Resources

/// What a ``Follower`` brings its news to: a copy of scopes of kinds, on the disk or in memory.
package protocol FollowedCopy: Sendable {
  /// Changes when news were lost: who follows must read everything again.
  var epoch: Int { get async }
  /// Up to which version the scope was followed; nil: it must be read whole.
  func version(_ scope: ScopeName) async -> UInt64?
  /// The scope shows this object.
  func put(_ object: JSONValue, _ version: UInt64, in scope: ScopeName) async
  /// The scope does not show the object any more; whether only the server knows if it is in another scope now.
  func remove(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) async -> Bool
  /// The server says that the object is in no scope.
  func confirmGone(_ key: ObjectKey, last: JSONValue?, _ version: UInt64, in scope: ScopeName) async
  /// The scope was read whole, and showed `seen`; answers what the copy has of it besides.
  func missing(besides seen: Set<ObjectKey>, in scope: ScopeName) async -> Set<ObjectKey>
  /// The server does not know the version any more.
  func forgetVersion(_ scope: ScopeName) async
  /// Everything up to this version was brought. False where news were lost since `epoch`.
  func reached(_ version: UInt64, in scope: ScopeName, epoch: Int) async -> Bool
  /// The scope is followed now; or it cannot be.
  func settle(_ scope: ScopeName, isLive: Bool) async
}
