internal import KubernetesAPI

/// A file of bearer tokens, for those who make kubeconfigs of it.
public enum TokenFile {
  /// The token of a user; nil where the file has none.
  public static func token(of user: String, in content: [UInt8]) throws(StartError) -> String? {
    do throws(AccessFileError) {
      return try StaticTokens(text: String(decoding: content, as: UTF8.self)).token(of: user)
    } catch {
      throw StartError(error.message)
    }
  }
}
