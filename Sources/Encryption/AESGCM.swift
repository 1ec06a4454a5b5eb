internal import CCrypto

/// A key of 256 bits.
struct SymmetricKey: Sendable {
  let bytes: [UInt8]

  /// Nil unless `bytes` are 32.
  init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// From the kernel's random source.
  init() { bytes = SymmetricKey.random(32) }

  static func random(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in .random(in: .min ... .max, using: &generator) }
  }
}

/// AES-256-GCM (NIST SP 800-38D) with nonces of 96 bits and tags of 128, by OpenSSL's libcrypto, which libmosquitto has
/// in the process already.
struct AESGCM: ~Copyable {
  static let nonceLength = 12
  static let tagLength = 16

  /// The body is not what was sealed, or libcrypto gave out.
  struct Failure: Error {}

  private let context: OpaquePointer

  private init() throws(Failure) {
    guard let context = EVP_CIPHER_CTX_new() else { throw Failure() }
    self.context = context
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  /// The ciphertext, as long as `body`, and behind it the tag.
  static func seal(
    _ body: [UInt8], with key: SymmetricKey, nonce: [UInt8], authenticating head: [UInt8]
  ) throws(Failure) -> [UInt8] {
    let cipher = try AESGCM()
    try check(EVP_EncryptInit_ex(cipher.context, EVP_aes_256_gcm(), nil, key.bytes, nonce))
    var length: Int32 = 0
    try check(EVP_EncryptUpdate(cipher.context, nil, &length, head, Int32(head.count)))
    var sealed = [UInt8](repeating: 0, count: body.count + tagLength)
    try check(EVP_EncryptUpdate(cipher.context, &sealed, &length, body, Int32(body.count)))
    var tag = [UInt8](repeating: 0, count: tagLength)
    try check(EVP_EncryptFinal_ex(cipher.context, &tag, &length))
    try check(EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_AEAD_GET_TAG, Int32(tagLength), &tag))
    sealed.replaceSubrange(body.count..., with: tag)
    return sealed
  }

  /// The body of what ``seal(_:with:nonce:authenticating:)`` made.
  static func open(
    _ sealed: ArraySlice<UInt8>, with key: SymmetricKey, nonce: [UInt8], authenticating head: [UInt8]
  ) throws(Failure) -> [UInt8] {
    guard sealed.count >= tagLength, nonce.count == nonceLength else { throw Failure() }
    let text = Array(sealed.dropLast(tagLength))
    var tag = Array(sealed.suffix(tagLength))
    let cipher = try AESGCM()
    try check(EVP_DecryptInit_ex(cipher.context, EVP_aes_256_gcm(), nil, key.bytes, nonce))
    var length: Int32 = 0
    try check(EVP_DecryptUpdate(cipher.context, nil, &length, head, Int32(head.count)))
    var body = [UInt8](repeating: 0, count: text.count + tagLength)
    try check(EVP_DecryptUpdate(cipher.context, &body, &length, text, Int32(text.count)))
    body.removeLast(tagLength)
    try check(EVP_CIPHER_CTX_ctrl(cipher.context, EVP_CTRL_AEAD_SET_TAG, Int32(tagLength), &tag))
    var rest = [UInt8](repeating: 0, count: tagLength)
    try check(EVP_DecryptFinal_ex(cipher.context, &rest, &length))
    return body
  }

  private static func check(_ code: Int32) throws(Failure) {
    guard code == 1 else { throw Failure() }
  }
}

/// SHA-256 (FIPS 180-4).
enum SHA256 {
  static func hash(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    var context = SHA256_CTX()
    SHA256_Init(&context)
    SHA256_Update(&context, bytes, bytes.count)
    SHA256_Final(&digest, &context)
    return digest
  }
}
