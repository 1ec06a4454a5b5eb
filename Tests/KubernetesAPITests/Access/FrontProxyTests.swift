import HTTPTypes
import KubernetesAPI
import Testing

@Suite("Users that a front proxy names")
struct FrontProxyTests {
  struct Case: Sendable {
    var name: String
    /// The common name of the certificate; nil: there is none.
    var certificate: String?
    var fields: [String]
    /// The user and the groups; nil: nobody is believed.
    var user: UserInfo?
  }

  private static let anna = ["X-Remote-User: anna", "X-Remote-Group: operators"]

  @Test(arguments: [
    Case(
      name: "the proxy's certificate", certificate: "front-proxy-client", fields: anna,
      user: UserInfo(name: "anna", groups: ["operators", "system:authenticated"])),
    Case(name: "no certificate", certificate: nil, fields: anna, user: nil),
    Case(name: "another name", certificate: "somebody", fields: anna, user: nil),
    Case(name: "nobody is named", certificate: "front-proxy-client", fields: ["X-Remote-Group: operators"], user: nil),
    Case(name: "an empty name", certificate: "front-proxy-client", fields: ["X-Remote-User: "], user: nil),
    Case(
      name: "a group with a comma is one", certificate: "front-proxy-client",
      fields: ["X-Remote-User: bo", "X-Remote-Group: hall, west", "X-Remote-Group: east"],
      user: UserInfo(name: "bo", groups: ["hall, west", "east", "system:authenticated"])),
    Case(
      name: "who is anonymous stays so", certificate: "front-proxy-client",
      fields: ["X-Remote-User: system:anonymous", "X-Remote-Group: system:unauthenticated"], user: .anonymous),
  ]) func areBelievedByTheProxysCertificateAlone(_ one: Case) {
    var fields = HTTPFields()
    for field in one.fields {
      let parts = field.split(separator: ":", maxSplits: 1)
      guard let name = HTTPField.Name(String(parts[0])) else { continue }
      fields.append(HTTPField(name: name, value: String(parts[1].dropFirst())))
    }
    let subject = one.certificate.map { name in
      var subject = CertificateSubject()
      subject.commonName = name
      return subject
    }
    #expect(FrontProxy(names: ["front-proxy-client"]).user(in: fields, subject) == one.user, "\(one.name)")
  }

  @Test func withoutAllowedNamesAnyCertificateOfTheAuthorityWillDo() {
    var subject = CertificateSubject()
    subject.commonName = "whoever"
    let fields: HTTPFields = [HTTPField.Name("X-User")!: "anna"]
    let proxy = FrontProxy(names: [], userFields: ["X-Remote-User", "X-User"])
    #expect(proxy.user(in: fields, subject)?.name == "anna")
    #expect(proxy.user(in: fields, nil) == nil)
  }

  @Test func whatTheyMayIsTheGroupOfTheServerAndNothingElse() {
    let policy = AccessPolicy.behindFrontProxy(groups: ["twin.selvedge.dev"], paths: ["/apis"])
    let anna = UserInfo(name: "anna", groups: ["system:authenticated"])
    func may(_ user: UserInfo, _ attributes: AccessAttributes) -> Bool { policy.allows(user, attributes) }
    let twins = AccessAttributes(
      verb: "create", group: "twin.selvedge.dev", resource: "twins", subresource: "commands", namespace: "plant")
    #expect(may(anna, twins) && !may(.anonymous, twins))
    #expect(!may(anna, AccessAttributes(verb: "list", group: "selvedge.dev", resource: "devices")))
    #expect(may(anna, AccessAttributes(verb: "get", path: "/apis")))
    #expect(!may(anna, AccessAttributes(verb: "get", path: "/metrics")))
  }
}
