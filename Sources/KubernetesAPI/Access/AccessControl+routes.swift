public import Documents
public import Hummingbird
public import Resources

extension AccessControl {
  /// Answers a request to one of the gateway's own routes as one for a resource or a part of it: `body` runs where the
  /// user may do what `attributes` say, an error becomes a Status, and what changes something goes on record, done or
  /// refused.
  public func answer(
    _ request: Request, _ context: some RequestContext, as attributes: AccessAttributes, at now: Timestamp,
    _ body: () async throws(APIStatus) -> Response
  ) async -> Response {
    let peer = await context.knownPeer()
    var user = UserInfo.anonymous
    var reason = ""
    var response: Response
    do throws(APIStatus) {
      user = try self.user(of: request.head, peer)
      try authorize(user, attributes)
      response = try await body()
    } catch {
      reason = error.reason
      response = Response(.failure(error))
    }
    if attributes.isWrite {
      var entry = AuditEntry(time: now, user: user, source: peer.address, attributes: attributes)
      (entry.code, entry.reason) = (response.status.code, reason)
      audit(entry)
    }
    return response
  }
}
