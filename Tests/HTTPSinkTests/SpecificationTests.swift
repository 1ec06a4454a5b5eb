import Documents
import SinkKit
import Testing

@Suite struct SpecificationTests {
  static let wrong: [(String, JSONValue, String)] = [
    ("http", [:], "spec.http.url: is required"),
    ("http", ["url": "ftp://x"], "spec.http.url: must begin with http:// or https://"),
    ("http", ["url": "http://u:p@x/"], "credentialsSecretRef"), ("http", ["url": "http://"], "names no host"),
    ("http", ["url": "http://x:70000/"], "between 1 and 65535"), ("http", ["url": "http://x/#y"], "fragment"),
    ("http", ["url": "http://x/a b"], "%XX"),
    ("http", ["url": "http://x", "format": "xml"], "one of json, ndjson, influx"),
    ("http", ["url": "http://x", "headers": ["Authorization": "Bearer t0p"]], "headersSecretRef"),
    ("http", ["url": "http://x", "headers": ["Content-Length": "1"]], "is set by the gateway"),
    ("http", ["url": "http://x", "headers": ["X-A": "a\r\nB: c"]], "control character"),
    ("http", ["url": "http://x", "headers": ["X A": "a"]], "no name of a header field"),
    ("http", ["url": "http://x", "tls": ["insecureSkipVerify": true]], "spec.http.tls: is for https:// only"),
    ("http", ["url": "https://x", "tls": ["certificateFile": "a"]], "spec.http.tls.certificateFile"),
    ("http", ["url": "https://x", "tls": ["caFile": "a", "caSecretRef": ["name": "b"]]], "excludes caSecretRef"),
    ("http", ["url": "http://x", "tokenFile": "a", "tokenSecretRef": ["name": "b"]], "excludes tokenSecretRef"),
    ("http", ["url": "http://x", "tokenFile": "a", "credentialsSecretRef": ["name": "b"]], "excludes a token"),
    ("http", ["url": "http://x", "timeout": "soon"], "spec.http.timeout"),
    ("http", ["url": "http://x", "concurrency": 99], "between 1 and 16"),
    ("http", ["url": "http://x", "influx": [:]], "format: influx only"),
    ("http", ["url": "http://x", "format": "influx", "influx": ["bucket": "b"]], "spec.http.influx.org"),
    (
      "http", ["url": "http://x", "format": "influx", "influx": ["bucket": "b", "database": "d"]], "excludes database"
    ),
    ("http", ["url": "http://x", "format": "influx", "influx": ["tags": ["a": "{x}"]]], "spec.http.influx.tags.a"),
    ("prometheusRemoteWrite", ["url": "http://x", "version": 3], "between 1 and 2"),
    ("prometheusRemoteWrite", ["url": "http://x", "name": "{device"], "spec.prometheusRemoteWrite.name"),
    ("prometheusRemoteWrite", ["url": "http://x", "labels": ["a-b": "c"]], "use a_b"),
    ("prometheusRemoteWrite", ["url": "http://x", "labels": ["__a": "c"]], "reserved"),
    ("prometheusRemoteWrite", ["url": "http://x", "headers": ["X-Prometheus-Remote-Write-Version": "9"]], "is set by"),
    ("otlp", [:], "spec.otlp.endpoint: is required"),
    ("otlp", ["endpoint": "http://x", "attributes": ["": "x"]], "without a name"),
    ("otlp", ["endpoint": "http://x", "compression": "lzma"], "one of none, gzip, zstd"),
  ]

  @Test(arguments: wrong)
  func `a fragment that cannot be served is refused by its field`(name: String, fragment: JSONValue, words: String) {
    do throws(SinkError) {
      _ = try Kind.plugin(name).writer(for: SinkRequest(name: "plant/s", specification: fragment))
      Issue.record("accepted \(fragment)")
    } catch {
      #expect(error.reason == "InvalidSpec" && error.message.contains(words), "\(error.message)")
      #expect(error.message.hasPrefix("spec.\(name)."))
      #expect(!error.message.contains("t0p"))
    }
  }

  @Test(arguments: ["http://x", "https://[::1]:8443/a?b=c", "HTTP://Host.example:80/path/"])
  func `an address that can be served is taken`(url: String) throws {
    _ = try Kind.plugin("http").writer(for: SinkRequest(name: "plant/s", specification: ["url": .string(url)]))
  }
}
