/// Where in an object something is, as Kubernetes writes it: `spec.properties[0].labels[line]`.
struct FieldPath: Sendable {
  enum Segment: Sendable {
    case member(String)
    case index(Int)
    /// A key of a map.
    case key(String)
  }
  private var segments: [Segment]

  /// Begins at a member; at the object itself for an empty name.
  init(_ root: String = "") { segments = root.isEmpty ? [] : [.member(root)] }

  mutating func append(_ segment: Segment) { segments.append(segment) }
  mutating func removeLast() { segments.removeLast() }

  var text: String {
    var text = ""
    for segment in segments {
      switch segment {
      case .member(let name): text += text.isEmpty ? name : ".\(name)"
      case .index(let index): text += "[\(index)]"
      case .key(let key): text += "[\(key)]"
      }
    }
    return text
  }
}
