package import Resources

/// Which objects of one kind are known, by which of its scopes. A kind has several scopes where one selector cannot say
/// what is wanted: a node's own Devices, and those of no node. Pure.
///
/// The scopes' news come in any order: an object that moves from one to the other may be gone here before it is there.
package struct ScopeIndex: Sendable {
  package enum Verdict: Equatable, Sendable {
    case added, modified, deleted
    /// Gone from the scope that showed it, and no other shows it (yet): only the server knows whether it is anywhere.
    case ask
    /// Of a time before the object went: news of a scope that is behind.
    case past
    case nothing
  }

  package let scopes: Int
  /// By scope.
  private var versions: [ObjectKey: [UInt64?]] = [:]
  /// The versions at which objects were last known to be nowhere; the newest of them.
  private var ends: [ObjectKey: UInt64] = [:]
  /// So many ends are remembered: a scope is behind the others by seconds.
  static let rememberedEnds = 1_024

  package init(scopes: Int) { self.scopes = scopes }

  package var keys: Set<ObjectKey> { Set(versions.keys) }

  package func keys(in scope: Int) -> Set<ObjectKey> { Set(versions.filter { $0.value[scope] != nil }.keys) }

  package func isKnown(_ key: ObjectKey, in scope: Int) -> Bool { versions[key]?[scope] != nil }

  package func version(_ key: ObjectKey) -> UInt64? { versions[key]?.compactMap(\.self).max() }

  /// The scope shows an object.
  package mutating func put(_ key: ObjectKey, _ version: UInt64, in scope: Int) -> Verdict {
    let known = self.version(key)
    if known == nil, let end = ends[key] {
      guard version > end else { return .past }
      ends[key] = nil
    }
    var entry = versions[key] ?? Array(repeating: nil, count: scopes)
    entry[scope] = version
    versions[key] = entry
    guard let known else { return .added }
    return version > known ? .modified : .nothing
  }

  /// The scope does not show the object any more.
  package mutating func remove(_ key: ObjectKey, in scope: Int) -> Verdict {
    guard var entry = versions[key], entry[scope] != nil else { return .nothing }
    if scopes > 1, entry.count(where: { $0 != nil }) == 1 { return .ask }
    entry[scope] = nil
    versions[key] = entry.allSatisfy { $0 == nil } ? nil : entry
    return versions[key] == nil ? .deleted : .nothing
  }

  /// The object is nowhere at `version`: what ``Verdict/ask`` came to. Nothing where it was seen elsewhere meanwhile.
  package mutating func confirmGone(_ key: ObjectKey, at version: UInt64, in scope: Int) -> Verdict {
    guard var entry = versions[key], entry[scope] != nil else { return .nothing }
    entry[scope] = nil
    versions[key] = entry.allSatisfy { $0 == nil } ? nil : entry
    guard versions[key] == nil else { return .nothing }
    // With one scope there is none that could be behind.
    if scopes > 1 {
      if ends.count >= Self.rememberedEnds, let oldest = ends.min(by: { $0.value < $1.value }) {
        ends[oldest.key] = nil
      }
      ends[key] = version
    }
    return .deleted
  }

  /// The server counts its versions anew, or has forgotten some: what is listed next counts, whatever its version.
  package mutating func forgetEnds() { ends.removeAll() }
}
