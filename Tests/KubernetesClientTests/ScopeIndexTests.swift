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
    let gone = [index.confirmGone(key, in: 1), index.confirmGone(key, in: 1)]
    #expect(gone == [.deleted, .nothing])
    _ = index.put(key, 5, in: 0)
    _ = index.put(key, 5, in: 1)
    let kept = index.confirmGone(key, in: 1)
    #expect(kept == .nothing && index.keys == [key])
  }
}
