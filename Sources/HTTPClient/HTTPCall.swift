/// One request, with its whole body.
public struct HTTPCall: Sendable {
  /// A header field as it is sent.
  public struct Field: Sendable, Hashable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var method: String
  /// Absolute, `http` or `https`.
  public var url: String
  public var fields: [Field]
  public var body: [UInt8]

  public init(_ method: String, _ url: String, fields: [Field] = [], body: [UInt8] = []) {
    self.method = method
    self.url = url
    self.fields = fields
    self.body = body
  }
}

/// What a server has answered.
public struct HTTPAnswer: Sendable, Hashable {
  /// 200 to 599; interim answers are not shown.
  public var status: Int
  public var fields: [HTTPCall.Field]
  /// The body as it came, not decompressed; its first part where it was longer than the limit.
  public var body: [UInt8]

  public init(status: Int, fields: [HTTPCall.Field] = [], body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// The first value of a header field, whatever the case of its name.
  public subscript(field: String) -> String? {
    let name = field.lowercased()
    return fields.first { $0.name.lowercased() == name }?.value
  }
}

/// Why there is no answer.
public struct HTTPFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// CamelCase, fit for a condition's reason: `ConnectionRefused`, `Timeout`, `CertificateRefused`.
  public var reason: String
  /// What happened and what to do; without credentials, since nothing of the request but its host is in it.
  public var message: String
  public var description: String { message }

  public init(reason: String, message: String) {
    self.reason = reason
    self.message = message
  }
}
