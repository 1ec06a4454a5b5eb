package import HTTPTypes

/// A proxy that has asked who its client is and whether it may, and says so in header fields, as kube-apiserver does
/// before the API servers that it aggregates (Kubernetes, Configure the Aggregation Layer).
///
/// Its client certificate is what makes these fields worth believing; of anybody else they count for nothing.
public struct FrontProxy: Sendable, Hashable {
  /// The common names of its certificates; empty: any certificate of the authorities will do.
  public var names: Set<String>
  /// Fields with the user's name, of which the first that is there counts, and fields with one of its groups each.
  public var userFields: [String]
  public var groupFields: [String]

  public init(
    names: Set<String>, userFields: [String] = ["X-Remote-User"], groupFields: [String] = ["X-Remote-Group"]
  ) {
    self.names = names
    self.userFields = userFields
    self.groupFields = groupFields
  }

  /// Whom the proxy asks for. Nil where the certificate is not the proxy's, or where it names nobody.
  package func user(in fields: HTTPFields, _ subject: CertificateSubject?) -> UserInfo? {
    guard let subject, names.isEmpty || names.contains(subject.commonName) else { return nil }
    // Every line of a field is one value, which may hold a comma.
    func values(_ names: [String]) -> [String] {
      names.flatMap { name in HTTPField.Name(name).map { fields[values: $0] } ?? [] }
    }
    guard let name = values(userFields).first(where: { !$0.isEmpty }) else { return nil }
    let user = UserInfo(name: name, groups: values(groupFields))
    return user.isAnonymous ? user : user.authenticated
  }
}
