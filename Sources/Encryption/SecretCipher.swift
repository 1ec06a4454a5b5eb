/// Seals bodies with AES-256-GCM (NIST SP 800-38D), each under a random nonce of 96 bits.
///
/// What is stored: the mark, the key's id, then resource, namespace, name and uid (each a length of two bytes and UTF-8),
/// the nonce, the ciphertext and the tag of 16 bytes. All before the nonce is in clear and authenticated: a body cannot be
/// moved to another object.
package struct SecretCipher: BodyCipher {
  private static let mark: [UInt8] = [0x00, 0x53, 0x42, 0x01]
  let keys: SecretKeys

  package init(keys: SecretKeys) { self.keys = keys }

  package func seal(_ body: [UInt8], at place: BodyPlace) throws -> [UInt8] {
    let head = try SecretCipher.head(keys.newest.id, place)
    let nonce = SymmetricKey.random(AESGCM.nonceLength)
    return head + nonce + (try AESGCM.seal(body, with: keys.newest.key, nonce: nonce, authenticating: head))
  }

  package func open(_ stored: [UInt8]) throws -> (body: [UInt8], place: BodyPlace) {
    guard let (id, place, length) = SecretCipher.parse(stored),
      stored.count >= length + AESGCM.nonceLength + AESGCM.tagLength
    else { throw EncryptionError(message: "a stored Secret is not in the form that this program encrypts") }
    guard let entry = keys.entries.first(where: { $0.id == id }) else {
      throw EncryptionError(
        message:
          "\(place.resource) \(place.namespace)/\(place.name) was encrypted with a key that is not in the key file \(keys.path): put the file back that was used before, or add its key as a further line. Nothing was changed"
      )
    }
    do {
      let start = length + AESGCM.nonceLength
      let body = try AESGCM.open(
        stored[start...], with: entry.key, nonce: Array(stored[length..<start]),
        authenticating: Array(stored[..<length]))
      return (body, place)
    } catch {
      throw EncryptionError(
        message:
          "\(place.resource) \(place.namespace)/\(place.name) was altered on the disk: its encrypted body does not match its seal. Restore the database from a backup"
      )
    }
  }

  package func isCurrent(_ stored: [UInt8]) -> Bool { SecretCipher.parse(stored)?.id == keys.newest.id }

  private static func head(_ id: [UInt8], _ place: BodyPlace) throws(EncryptionError) -> [UInt8] {
    var head = mark + id
    for text in [place.resource, place.namespace, place.name, place.uid] {
      let bytes = Array(text.utf8)
      guard let length = UInt16(exactly: bytes.count) else {
        throw EncryptionError(message: "the name of an object is too long to be encrypted")
      }
      head += [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)] + bytes
    }
    return head
  }

  private static func parse(_ stored: [UInt8]) -> (id: [UInt8], place: BodyPlace, length: Int)? {
    guard stored.starts(with: mark), stored.count > mark.count + SecretKeys.idLength else { return nil }
    var index = mark.count + SecretKeys.idLength
    var texts: [String] = []
    for _ in 0..<4 {
      guard stored.count >= index + 2 else { return nil }
      let end = index + 2 + (Int(stored[index]) << 8 | Int(stored[index + 1]))
      guard stored.count >= end else { return nil }
      texts.append(String(decoding: stored[(index + 2)..<end], as: UTF8.self))
      index = end
    }
    let place = BodyPlace(resource: texts[0], namespace: texts[1], name: texts[2], uid: texts[3])
    return (Array(stored[mark.count..<(mark.count + SecretKeys.idLength)]), place, index)
  }
}
