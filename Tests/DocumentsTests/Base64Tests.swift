import Documents
import Testing

@Suite struct Base64Tests {
  /// RFC 4648, section 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `The vectors of the RFC hold both ways`(text: String, encoded: String) {
    #expect(Base64.text(of: text.utf8) == encoded)
    #expect(Base64.bytes(of: encoded) == Array(text.utf8))
  }

  @Test func `Every byte survives`() {
    for length in 0..<70 {
      let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ length) }
      #expect(Base64.bytes(of: Base64.text(of: bytes)) == bytes)
    }
  }

  @Test func `Line ends are skipped`() { #expect(Base64.bytes(of: "Zm9v\r\nYmFy\n") == Array("foobar".utf8)) }

  @Test(arguments: ["Zg", "Zg=", "Zm9v=", "Zg==Zg==", "Z", "Zm9*", "Zm-v", "====", "Zm 9v"])
  func `What is no base64 is refused`(text: String) { #expect(Base64.bytes(of: text) == nil) }
}
