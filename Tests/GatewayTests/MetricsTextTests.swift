import Gateway
import Testing

@Suite struct MetricsTextTests {
  @Test func familiesAreWrittenAsTheExpositionFormatAsks() {
    var text = MetricsText()
    text.family("selvedge_samples_total", .counter, "Samples.\nAll of them.", [([("pipeline", "a\"b\\c\nd")], 3)])
    text.family("selvedge_lag_seconds", .gauge, "Lag.", [([], 0.5), ([], .infinity)])
    text.family("selvedge_empty", .gauge, "Nothing.", [])
    #expect(
      text.text == """
        # HELP selvedge_samples_total Samples.\\nAll of them.
        # TYPE selvedge_samples_total counter
        selvedge_samples_total{pipeline="a\\"b\\\\c\\nd"} 3
        # HELP selvedge_lag_seconds Lag.
        # TYPE selvedge_lag_seconds gauge
        selvedge_lag_seconds 0.5
        selvedge_lag_seconds +Inf

        """)
  }

  @Test func aSummaryIsASumAndACount() {
    var text = MetricsText()
    text.summary("selvedge_wait_seconds", "Waits.", [([("verb", "get")], 1.5, 3), ([], 0, 0)])
    text.summary("selvedge_empty_seconds", "Nothing.", [])
    #expect(
      text.text == """
        # HELP selvedge_wait_seconds Waits.
        # TYPE selvedge_wait_seconds summary
        selvedge_wait_seconds_sum{verb="get"} 1.5
        selvedge_wait_seconds_count{verb="get"} 3
        selvedge_wait_seconds_sum 0
        selvedge_wait_seconds_count 0

        """)
  }
}
