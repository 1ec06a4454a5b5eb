/// What a scan of the log hands its records to.
protocol QueryCollector: AnyObject {
  /// Takes the wanted rows of one entry; `slots` is the place of each row's series among those wanted, nil for another
  /// series. False: enough.
  func take(_ columns: RecordColumns, _ slots: [Int?]) -> Bool
}
