import Documents
import Foundation
import TestSupport

/// A headless Chromium with one page, driven over its debugging pipe.
final class Browser {
  private let process: ChildProcess
  private let folder: ScratchFolder
  private var asked = 0

  /// Opens the page.
  init(_ url: String) async throws {
    folder = try ScratchFolder()
    process = try ChildProcess(["python3", "-u", "-c", Self.driver, url, folder.path], in: folder)
  }

  /// What an expression of JavaScript is worth on the page, as JSON; an error of the page is one here.
  func value(of expression: String) async throws -> JSONValue {
    asked += 1
    try folder.write(expression, to: "\(asked).js")
    let answer = folder("\(asked).json")
    try await eventually("the browser answers", seen: { self.process.errors }) {
      guard process.isRunning else { throw Trouble("the browser has ended:\n\(process.errors)") }
      return FileManager.default.fileExists(atPath: answer)
    }
    return try JSONValue(parsing: [UInt8](try Data(contentsOf: URL(filePath: answer))))
  }

  /// What the page has complained of.
  var complaints: String { process.output }

  /// Reads N.js and writes N.json in the folder, for N from 1 on; prints uncaught errors and what the browser logs.
  private static let driver = #"""
    import json, os, signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    url, folder = sys.argv[1:]
    to_read, to_write = os.pipe(); from_read, from_write = os.pipe()
    for fd in (to_read, to_write, from_read, from_write): os.set_inheritable(fd, True)
    def child():
        a, b = os.dup(to_read), os.dup(from_write)
        os.dup2(a, 3); os.dup2(b, 4)
    browser = subprocess.Popen(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
         "--no-first-run", "--disable-background-networking", "--user-data-dir=" + folder + "/profile", "about:blank"],
        preexec_fn=child, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(to_read); os.close(from_write)
    rest, number = b"", 0
    def receive():
        global rest
        while b"\0" not in rest:
            piece = os.read(from_read, 65536)
            if not piece: sys.exit("the browser has gone")
            rest += piece
        one, rest = rest.split(b"\0", 1)
        return json.loads(one)
    def call(method, session=None, **parameters):
        global number
        number += 1
        message = {"id": number, "method": method, "params": parameters}
        if session: message["sessionId"] = session
        os.write(to_write, json.dumps(message).encode() + b"\0")
        while True:
            answer = receive()
            if answer.get("id") == number: return answer.get("result", {})
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"): print(json.dumps(answer), flush=True)
    target = call("Target.createTarget", url=url)["targetId"]
    page = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Runtime", "Log"): os.write(to_write, json.dumps({"id": 10**6, "method": domain + ".enable", "sessionId": page}).encode() + b"\0")
    try:
        at = 1
        while True:
            path = "%s/%d" % (folder, at)
            if not os.path.exists(path + ".js"):
                time.sleep(0.02); continue
            result = call("Runtime.evaluate", page, expression=open(path + ".js").read(), returnByValue=True, awaitPromise=True)
            if "exceptionDetails" in result: print(json.dumps(result), flush=True)
            with open(path + ".tmp", "w") as file: json.dump(result.get("result", {}).get("value"), file)
            os.rename(path + ".tmp", path + ".json")
            at += 1
    finally:
        browser.kill(); browser.wait()
    """#

  deinit {
    // Its own end ends the browser.
    process.end(SIGTERM)
  }
}
