/// Kubernetes' rules for names, label keys and label values (concepts: Object Names and IDs; Labels and Selectors).
/// Every function answers nil for a legal text, else what is wrong with it.
public enum NameRule {
  /// RFC 1123 subdomain: lower-case letters, digits, `-` and `.`, at most 253 characters; each part starts and ends
  /// with a letter or digit.
  public static func fault(inSubdomain text: String) -> String? {
    if text.utf8.count > 253 { return "must be no more than 253 bytes" }
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.allSatisfy({ isLabel($0) }) else {
      return
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    }
    return nil
  }

  /// RFC 1123 label: as a subdomain without dots, at most 63 characters.
  public static func fault(inLabel text: String) -> String? {
    if text.utf8.count > 63 { return "must be no more than 63 bytes" }
    guard isLabel(text.utf8[...]) else {
      return
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    }
    return nil
  }

  /// `[prefix/]name`: the prefix a subdomain, the name at most 63 characters.
  public static func fault(inLabelKey text: String) -> String? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let name = parts.last else { return "a qualified name has at most one '/'" }
    if parts.count == 2 {
      if parts[0].isEmpty { return "prefix part must be non-empty" }
      if let fault = fault(inSubdomain: String(parts[0])) { return "prefix part \(fault)" }
    }
    if name.isEmpty { return "name part must be non-empty" }
    if name.utf8.count > 63 { return "name part must be no more than 63 bytes" }
    guard isQualified(name.utf8) else {
      return
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
    }
    return nil
  }

  /// Empty, or as the name part of a key.
  public static func fault(inLabelValue text: String) -> String? {
    if text.utf8.count > 63 { return "must be no more than 63 bytes" }
    guard text.isEmpty || isQualified(text[...].utf8) else {
      return
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    }
    return nil
  }

  private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }

  private static func isLabel(_ bytes: Substring.UTF8View) -> Bool {
    guard let first = bytes.first, let last = bytes.last, isLower(first), isLower(last) else { return false }
    return bytes.allSatisfy { isLower($0) || $0 == 0x2D }
  }

  private static func isQualified(_ bytes: Substring.UTF8View) -> Bool {
    func isAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte) || (0x41...0x5A).contains(byte) }
    guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else {
      return false
    }
    return bytes.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x2E }
  }
}
