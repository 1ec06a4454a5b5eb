import Documents
import Foundation
import TestSupport
import Testing

/// The page as a browser shows it.
@Suite struct DashboardTests {
  @Test(.timeLimit(.minutes(3)))
  func aDevicesCourseIsDrawnFromWhatTheGatewayKeeps() async throws {
    let boiler = try await BoilerServer()
    try await withGateway { gateway in
      let manifest = """
        apiVersion: selvedge.dev/v1alpha1
        kind: Sink
        metadata: {name: cloud}
        spec: {http: {url: "http://127.0.0.1:\(freePort())/in", format: ndjson}}
        ---
        apiVersion: selvedge.dev/v1alpha1
        kind: Pipeline
        metadata: {name: line-a}
        spec:
          from: {properties: [flow-temperature, setpoint]}
          stages: [{aggregate: {window: {tumbling: 1s}, functions: [mean, min, max, count]}}]
          to: [{name: cloud}]
        """
      try await gateway.kubectl(
        "apply", "-f", "-", input: [manifest, BoilerServer.model, boiler.device()].joined(separator: "\n---\n"))
      try await gateway.awaitCondition("Connected", of: "device", "boiler-1", "True")
      let page = try await Browser(gateway.server + "/#default%2Fboiler-1")
      try await eventually("the course is drawn", seen: { page.complaints + gateway.log }) {
        // Two steps of 15 s, or two windows in one, are a line or a point; either has a path.
        try await page.value(of: "document.querySelector('#tChart .course')?.getAttribute('d') || ''").string?
          .contains("M9") == true
      }
      let label = try await page.value(of: "document.getElementById('tChart').getAttribute('aria-label')").string ?? ""
      #expect(label.contains("flow-temperature in °C, last hour: 42.1 to 42.1"), "\(label)")
      #expect(try await page.value(of: "document.querySelectorAll('#tChart .band').length").int ?? 0 >= 1)
      #expect(try await page.value(of: "getComputedStyle(document.getElementById('trend')).display") != "none")
      let text = try await page.value(of: "document.getElementById('tText').textContent").string ?? ""
      #expect(text.contains("42.1 °C (42.1 to 42.1)"), "\(text)")
      let options = try await page.value(
        of: "[...document.getElementById('tProperty').options].map(o => o.textContent).join()")
      #expect(options == "flow-temperature,setpoint")

      // Another property, and a longer time.
      _ = try await page.value(
        of:
          "{ const s = document.getElementById('tProperty'); s.selectedIndex = 1; s.dispatchEvent(new Event('change')); 0 }"
      )
      _ = try await page.value(of: "document.getElementById('tHours').click()")
      try await eventually("the setpoint's six hours", seen: { page.complaints }) {
        try await page.value(of: "document.getElementById('tChart').getAttribute('aria-label')").string
          == "setpoint in °C, last 6 hours: 20 to 20"
      }
      #expect(try await page.value(of: "document.getElementById('tHours').getAttribute('aria-pressed')") == "true")
      #expect(page.complaints == "", "no error, and nothing that its own policy forbids")
    }
  }
}
