/// Says whether a write to a device may be sent now; asked by whoever sends, at the moment of sending.
///
/// Fieldbus protocols know no fencing token, so time is the fence: of a device that several gateways could serve, the
/// one that does stops writing before another may begin.
public struct WriteFence: Sendable {
  private let check: @Sendable (_ span: Duration) -> Bool

  /// `check` says whether a write may be sent that is over `span` from now, one way or the other. It must not block.
  public init(_ check: @escaping @Sendable (_ span: Duration) -> Bool) { self.check = check }

  /// Whether a write that is sent now is over, at the latest `span` from now, before anybody else may write.
  public func permits(writeWithin span: Duration) -> Bool { check(span) }

  /// What a write that is not sent ends with.
  public static let refusal = DeviceError(
    reason: "LeaseLost",
    message: "not sent: this gateway does not hold the Lease of the device's group for long enough; it is sent again "
      + "once it does, or by the gateway that does")
}
