import KubernetesClient
import Resources
import Testing

/// Objects that move between the scopes of a kind.
@Suite struct ScopeIndexTests {
  private let key = ObjectKey(namespace: "default", name: "a")

  @Test("Of one scope, what comes, changes and goes is told once")
  func single() {
    var index = ScopeIndex(scopes: 1)
    let verdicts = [
      index.put(key, 1, in: 0), index.put(key, 1, in: 0), index.put(key, 2, in: 0), index.remove(key, in: 0),
      index.remove(key, in: 0),
    ]
    #expect(verdicts == [.added, .nothing, .modified, .deleted, .nothing])
  }

  @Test("An object that moves is never gone, whichever watch is the first to tell")
  func moving() {
    var early = ScopeIndex(scopes: 2)
    let first = [early.put(key, 1, in: 1), early.put(key, 2, in: 0), early.remove(key, in: 1)]
    #expect(first == [.added, .modified, .nothing])
    #expect(early.version(key) == 2)
    var late = ScopeIndex(scopes: 2)
    let second = [late.put(key, 1, in: 1), late.remove(key, in: 1)]
    #expect(second == [.added, .ask], "only the server knows")
    let third = [late.put(key, 2, in: 0), late.remove(key, in: 1)]
    #expect(third == [.modified, .nothing])
  }

  @Test("What the server knows no more is gone, unless it was seen elsewhere meanwhile")
  func confirmed() {
    var index = ScopeIndex(scopes: 2)
    _ = index.put(key, 1, in: 1)
    _ = index.remove(key, in: 1)
    let gone = [index.confirmGone(key, at: 2, in: 1), index.confirmGone(key, at: 2, in: 1)]
    #expect(gone == [.deleted, .nothing])
    _ = index.put(key, 5, in: 0)
    _ = index.put(key, 5, in: 1)
    let kept = index.confirmGone(key, at: 6, in: 1)
    #expect(kept == .nothing && index.keys == [key])
  }

  @Test("A watch that is behind does not bring back what another has told is gone")
  func behind() {
    var index = ScopeIndex(scopes: 2)
    _ = index.put(key, 9, in: 0)
    _ = index.remove(key, in: 0)
    _ = index.confirmGone(key, at: 10, in: 0)
    let old = [index.put(key, 2, in: 1), index.remove(key, in: 1), index.put(key, 10, in: 1)]
    #expect(old == [.past, .nothing, .past] && index.keys.isEmpty)
    let new = index.put(key, 11, in: 1)
    #expect(new == .added, "another of its name")
    _ = index.remove(key, in: 1)
    _ = index.confirmGone(key, at: 12, in: 1)
    index.forgetEnds()
    let restored = index.put(key, 3, in: 1)
    #expect(restored == .added, "the server counts anew")
  }

  @Test("Of one scope, an object may come back as it was: a Secret that is referred to again")
  func comesBack() {
    var index = ScopeIndex(scopes: 1)
    _ = index.put(key, 1, in: 0)
    let verdicts = [index.confirmGone(key, at: 100, in: 0), index.put(key, 1, in: 0)]
    #expect(verdicts == [.deleted, .added])
  }
}
