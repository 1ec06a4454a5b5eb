/// The schema of what ``ReceiverSpecification`` reads, to be put under `properties` of a sink's fragment.
public enum ReceiverSchema {
  /// YAML of the properties, each line indented by `indent` spaces. The field of the URL is called `addressField`.
  public static func properties(addressField: String, addressDescription: String, indent: Int) -> String {
    let text = """
      \(addressField):
        type: string
        minLength: 1
        maxLength: 2048
        pattern: ^https?://[^/@?#\\s]+(/[^#\\s]*)?(\\?[^#\\s]*)?$
        description: '\(addressDescription) Never with credentials in it.'
      headers:
        type: object
        maxProperties: 32
        additionalProperties: {type: string, maxLength: 1024}
        description: 'Further header fields, in plain text. For those that are secret there is headersSecretRef.'
      headersSecretRef: {$use: secretReference, description: 'A Secret of which every key is the name of a header field.'}
      credentialsSecretRef: {$use: secretReference, description: 'User name and password from a Secret, keys username and password, for HTTP Basic authentication.'}
      tokenSecretRef: {$use: secretReference, description: 'A token from a Secret, key token, for the header Authorization.'}
      tokenFile: {$use: file, description: 'The same from a file, read again for every request; under a configured folder.'}
      tls:
        type: object
        description: How the receiver is verified and how the gateway shows who it is. For https only.
        x-kubernetes-validations:
        - rule: "!has(self.caFile) || !has(self.caSecretRef)"
          message: caFile and caSecretRef exclude each other
        - rule: "has(self.certificateFile) == has(self.keyFile)"
          message: certificateFile and keyFile go together
        - rule: "!has(self.certificateFile) || !has(self.certificateSecretRef)"
          message: certificateFile and certificateSecretRef exclude each other
        properties:
          caFile: {$use: file, description: Certificates (PEM) that sign the receiver's own; under a configured folder. Absent are those of the system.}
          caSecretRef: {$use: secretReference, description: 'The same from a Secret, key ca.crt.'}
          certificateFile: {$use: file, description: The gateway's certificate chain (PEM); under a configured folder.}
          keyFile: {$use: file, description: The certificate's key (PEM); under a configured folder.}
          certificateSecretRef: {$use: secretReference, description: 'Certificate and key from a Secret, keys tls.crt and tls.key.'}
          serverName: {type: string, maxLength: 253, description: The name that the receiver's certificate must carry where it is not the URL's host.}
          insecureSkipVerify: {type: boolean, default: false, description: Whether to take any certificate. For trials only.}
      timeout: {$use: period, default: 30s, description: How long a request may take until its answer is whole.}
      concurrency:
        type: integer
        minimum: 1
        maximum: 16
        default: 1
        description: Requests under way at a time. Each has series of its own, so that the order within a series stays.
      """
    let space = String(repeating: " ", count: indent)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { space + $0 }.joined(separator: "\n")
  }

  /// CEL rules of the fragment that has these properties, as lines of a YAML list indented by `indent` spaces.
  public static func rules(addressField: String, indent: Int) -> String {
    let text = """
      - rule: "!has(self.tls) || self.\(addressField).startsWith('https://')"
        message: tls is for https:// only
        fieldPath: .tls
      - rule: "!has(self.tokenFile) || !has(self.tokenSecretRef)"
        message: tokenFile and tokenSecretRef exclude each other
      - rule: "!has(self.credentialsSecretRef) || (!has(self.tokenFile) && !has(self.tokenSecretRef))"
        message: credentialsSecretRef excludes a token
      - rule: "!has(self.headers) || self.headers.all(name, !name.matches('^([Aa]uthorization|AUTHORIZATION|[Cc]ookie|COOKIE|[Xx]-(API|[Aa]pi)-[Kk](ey|EY))$'))"
        message: a credential belongs into a Secret, named by headersSecretRef
        fieldPath: .headers
      """
    let space = String(repeating: " ", count: indent)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { space + $0 }.joined(separator: "\n")
  }
}
