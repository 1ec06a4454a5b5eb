import Foundation
import TestSupport

/// What stands in for kube-apiserver before a server that it aggregates: it knows its users by their tokens, and passes
/// their requests for twins on with its own client certificate and X-Remote fields; all else goes to the cluster.
final class FrontProxyServer: Sendable {
  let port: UInt16
  private let process: ChildProcess

  /// - Parameters:
  ///   - users: by token, a name and groups.
  ///   - server: a certificate of the loopback with its key, PEM files.
  ///   - client: the proxy's certificate towards the aggregated server.
  init(
    users: [String: (name: String, groups: [String])], server: (certificate: String, key: String),
    client: (certificate: String, key: String), twins: (port: UInt16, authority: String),
    cluster: (port: Int, authority: String, token: String), in folder: ScratchFolder
  ) async throws {
    let port = freePort()
    self.port = port
    let settings: [String: Any] = [
      "port": Int(port), "users": users.mapValues { ["name": $0.name, "groups": $0.groups] as [String: Any] },
      "server": [server.certificate, server.key], "client": [client.certificate, client.key],
      "twins": [Int(twins.port), twins.authority], "cluster": [cluster.port, cluster.authority, cluster.token],
    ]
    let text = String(decoding: try JSONSerialization.data(withJSONObject: settings), as: UTF8.self)
    let process = try ChildProcess(["python3", "-u", "-c", Self.script, text], in: folder)
    self.process = process
    try await eventually("the front proxy listens", seen: { process.errors }) {
      guard process.isRunning else { throw Trouble("the front proxy has ended: \(process.errors)") }
      return process.output.contains("ready\n")
    }
  }

  private static let script = #"""
    import http.client, http.server, json, ssl, sys
    settings = json.loads(sys.argv[1])

    def context(authority, certificate=None):
        found = ssl.create_default_context(cafile=authority)
        found.check_hostname = False
        if certificate: found.load_cert_chain(*certificate)
        return found

    class Twins(http.client.HTTPSConnection):
        def connect(self):
            http.client.HTTPConnection.connect(self)
            self.sock = self._context.wrap_socket(self.sock, server_hostname="selvedge-twins.selvedge.svc")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *words): pass

        def refuse(self, code, reason):
            body = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
                "message": reason}).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle_any(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            user = settings["users"].get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
            if not user: return self.refuse(401, "Unauthorized")
            headers = [(k, v) for k, v in self.headers.items() if not k.lower().startswith("x-remote-")
                and k.lower() not in ("authorization", "connection", "host", "content-length",
                    "transfer-encoding", "accept-encoding")]
            if self.path.startswith(("/api/v1", "/apis/selvedge.dev")):
                port, authority, token = settings["cluster"]
                up = http.client.HTTPSConnection("127.0.0.1", port, context=context(authority), timeout=600)
                headers.append(("Authorization", "Bearer " + token))
            else:
                port, authority = settings["twins"]
                secure = context(authority, settings["client"])
                secure.check_hostname = True
                up = Twins("127.0.0.1", port, context=secure, timeout=600)
                headers.append(("X-Remote-User", user["name"]))
                headers += [("X-Remote-Group", group) for group in user["groups"] + ["system:authenticated"]]
            try:
                up.putrequest(self.command, self.path, skip_accept_encoding=True)
                for name, value in headers: up.putheader(name, value)
                if body is not None: up.putheader("Content-Length", str(len(body)))
                up.endheaders(body)
                answer = up.getresponse()
            except OSError as error:
                print(error, file=sys.stderr)
                return self.refuse(503, "ServiceUnavailable")
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length"): self.send_header(name, value)
            hasBody = answer.status not in (204, 304)
            if hasBody: self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if not hasBody: return up.close()
            try:
                while data := answer.read1(65536):
                    self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")
            except (OSError, http.client.HTTPException):
                self.close_connection = True
            finally:
                up.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    server = http.server.ThreadingHTTPServer(("127.0.0.1", settings["port"]), Handler)
    server.daemon_threads = True
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(*settings["server"])
    server.socket = secure.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()
    """#
}
