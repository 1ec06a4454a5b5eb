public import Documents

/// The kubeconfig (v1) for an embedded gateway: one cluster, one context, no credentials.
public enum Kubeconfig {
  public static func document(server: String) -> JSONValue {
    [
      "apiVersion": "v1", "kind": "Config", "current-context": "selvedge",
      "clusters": [["name": "selvedge", "cluster": ["server": .string(server)]]],
      "contexts": [
        ["name": "selvedge", "context": ["cluster": "selvedge", "user": "selvedge", "namespace": "default"]]
      ],
      "users": [["name": "selvedge", "user": [:]]],
    ]
  }
}
