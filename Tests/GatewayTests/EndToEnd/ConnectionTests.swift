import Foundation
import Glibc
import TestSupport
import Testing

/// What a gateway lets connections do: clients that dawdle or come in crowds hinder nobody.
@Suite struct ConnectionTests {
  private static let script = """
    import select, socket, sys, time
    port, kind = int(sys.argv[1]), sys.argv[2]
    def connect():
        s = socket.create_connection(("127.0.0.1", port))
        return s
    if kind == "slow":
        s = connect()
        s.settimeout(0.5)
        s.sendall(b"GET /livez HTTP/1.1\\r\\nHost: localhost\\r\\nX: ")
        while True:
            try:
                s.sendall(b"a")
                if s.recv(1) == b"": break
            except TimeoutError: pass
            except OSError: break
        print("cut", flush=True)
    if kind == "crowd":
        crowd = [connect() for _ in range(540)]
        poll = select.poll()
        for s in crowd: poll.register(s, select.POLLIN)
        if poll.poll(30_000): print("turned away", flush=True)
        time.sleep(600)
    """

  private func count(_ gateway: RunningGateway, _ cause: String) async throws -> Int {
    let metrics = try await gateway.http("GET", "/metrics").body
    guard let match = metrics.firstMatch(of: try Regex("cut_total\\{cause=\"\(cause)\"\\} ([0-9]+)")) else { return -1 }
    return Int(match.output[1].substring ?? "") ?? -1
  }

  @Test(.timeLimit(.minutes(2)))
  func aDawdlerIsCutAndAWatchIsNot() async throws {
    try await withGateway { gateway in
      let watch = try gateway.startKubectl("get", "namespaces", "-w", "-o", "name")
      try await eventually("the watch shows what is there") { watch.output.contains("namespace/default") }
      let dawdler = try ChildProcess(["python3", "-c", Self.script, "\(gateway.port)", "slow"], in: gateway.folder)
      try await eventually("the dawdler is cut", within: .seconds(60)) { dawdler.output.contains("cut") }
      #expect(try await count(gateway, "slowRequest") == 1)
      try await gateway.kubectl("create", "namespace", "late")
      try await eventually("the watch goes on", seen: { watch.output + watch.errors }) {
        watch.output.contains("namespace/late")
      }
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func aCrowdIsTurnedAwayAtTheDoorAndTheGatewayLivesOn() async throws {
    try await withGateway { gateway in
      let crowd = try ChildProcess(["python3", "-c", Self.script, "\(gateway.port)", "crowd"], in: gateway.folder)
      try await eventually("some are turned away", seen: { crowd.errors }) { crowd.output.contains("turned away") }
      crowd.end(SIGKILL)
      try await eventually("it answers again", seen: { gateway.log }) {
        try await gateway.http("GET", "/readyz").status == 200
      }
      #expect(try await count(gateway, "limit") > 0)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func aHeadThatIsTooLargeIsRefused() async throws {
    try await withGateway { gateway in
      let large = "X-Large: " + String(repeating: "a", count: 70_000)
      let answer = try await run([
        "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", large, gateway.server + "/livez",
      ])
      #expect(answer.output == "400" || answer.status != 0, "\(answer.output)")
      #expect(try await gateway.http("GET", "/livez").status == 200)
    }
  }
}
