import Documents

/// What tools conclude from an object: kstatus' word and Argo CD's.
struct StatusHealth: Sendable {
  enum KStatus: String, Sendable {
    case inProgress = "InProgress"
    case failed = "Failed"
    case current = "Current"
    case terminating = "Terminating"
  }

  /// The algorithm of sigs.k8s.io/cli-utils, pkg/kstatus/status, for kinds that it does not know: generic.go, and the
  /// Ready condition.
  static func kstatus(of object: JSONValue) -> KStatus {
    if object[path: "metadata", "deletionTimestamp"] != nil { return .terminating }
    if let observed = object[path: "status", "observedGeneration"]?.integer,
      observed != object[path: "metadata", "generation"]?.integer
    {
      return .inProgress
    }
    let conditions = object[path: "status", "conditions"]?.array ?? []
    for condition in conditions where condition["status"] == "True" {
      if condition["type"] == "Reconciling" { return .inProgress }
      if condition["type"] == "Stalled" { return .failed }
    }
    guard let ready = conditions.first(where: { $0["type"] == "Ready" }) else { return .current }
    return ready["status"] == "True" ? .current : .inProgress
  }
}
