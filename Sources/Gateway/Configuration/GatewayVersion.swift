/// The version of this build.
public enum GatewayVersion {
  public static let text = "0.1.0"
}
