package import DeviceKit

/// What a pipeline puts out, in columns: one row per record, with a fixed number of fields a row.
package struct RecordRows: Sendable {
  package struct Row: Sendable, BitwiseCopyable {
    /// The series' slot in its pipeline.
    package var slot: Int32
    /// The series' handle in the ``SeriesCatalogue``; set with the sequence number when the row leaves the pipeline.
    package var series: UInt32 = 0
    package var sequence: UInt64 = 0
    /// Nanoseconds since 1970: a sample's source time, a window's end.
    package var time: Int64
    /// A window's start; nil (`Int64.min`) for a sample.
    package var windowStart: Int64
    /// Raw value of the quality.
    package var quality: UInt8

    package init(slot: Int32, time: Int64, windowStart: Int64 = .min, quality: Quality) {
      self.slot = slot
      self.time = time
      self.windowStart = windowStart
      self.quality = quality.rawValue
    }
  }

  package var rows: [Row] = []
  /// Row after row, as many as the pipeline has fields; `.none` where the row has no such field.
  package private(set) var fieldKinds: [SampleKind] = []
  package private(set) var fieldPayloads: [UInt64] = []
  /// Strings and objects, by index from `fieldPayloads`.
  package private(set) var sideValues: [Value] = []

  package init() {}

  package var count: Int { rows.count }
  package var isEmpty: Bool { rows.isEmpty }

  package mutating func append(_ row: Row) { rows.append(row) }

  /// Appends the next field of the last row; `kind` is not `.side`.
  package mutating func appendField(_ kind: SampleKind, _ payload: UInt64) {
    fieldKinds.append(kind)
    fieldPayloads.append(payload)
  }

  /// Appends a string or an object as the next field of the last row.
  package mutating func appendField(side value: Value) {
    appendField(.side, UInt64(sideValues.count))
    sideValues.append(value)
  }

  /// Appends a row with all its fields; those of kind `.side` are places that ``keep(side:)`` gave.
  package mutating func append(
    _ row: Row, kinds: UnsafePointer<SampleKind>, payloads: UnsafePointer<UInt64>, count: Int
  ) {
    rows.append(row)
    fieldKinds.append(contentsOf: UnsafeBufferPointer(start: kinds, count: count))
    fieldPayloads.append(contentsOf: UnsafeBufferPointer(start: payloads, count: count))
  }

  /// Keeps a string or an object, and returns the payload of a field that holds it.
  package mutating func keep(side value: Value) -> UInt64 {
    sideValues.append(value)
    return UInt64(sideValues.count - 1)
  }

  /// A row's field; nil where the row has none.
  package func field(_ index: Int) -> Value? {
    Value(kind: fieldKinds[index], payload: fieldPayloads[index], sideValues: sideValues)
  }

  /// The rows from `start` on; `fields` is how many fields a row has.
  package func suffix(from start: Int, fields: Int) -> RecordRows {
    var suffix = self
    suffix.rows.removeFirst(start)
    suffix.fieldKinds.removeFirst(start * fields)
    suffix.fieldPayloads.removeFirst(start * fields)
    return suffix
  }

  /// The rows for which `isKept` holds; `fields` is how many fields a row has.
  package func filtered(fields: Int, _ isKept: (Row) -> Bool) -> RecordRows {
    var kept = self
    kept.rows.removeAll(keepingCapacity: true)
    kept.fieldKinds.removeAll(keepingCapacity: true)
    kept.fieldPayloads.removeAll(keepingCapacity: true)
    for (index, row) in rows.enumerated() where isKept(row) {
      kept.rows.append(row)
      kept.fieldKinds.append(contentsOf: fieldKinds[index * fields..<(index + 1) * fields])
      kept.fieldPayloads.append(contentsOf: fieldPayloads[index * fields..<(index + 1) * fields])
    }
    return kept
  }

  /// Appends the rows of another, with as many fields a row.
  package mutating func append(contentsOf other: RecordRows) {
    let offset = UInt64(sideValues.count)
    rows.append(contentsOf: other.rows)
    fieldKinds.append(contentsOf: other.fieldKinds)
    if offset == 0 || other.sideValues.isEmpty {
      fieldPayloads.append(contentsOf: other.fieldPayloads)
    } else {
      for (kind, payload) in zip(other.fieldKinds, other.fieldPayloads) {
        fieldPayloads.append(kind == .side ? payload + offset : payload)
      }
    }
    sideValues.append(contentsOf: other.sideValues)
  }

  /// The rows with those of a series side by side, in the order in which they were; `fields` is how many fields a row
  /// has.
  package func groupedBySeries(fields: Int) -> RecordRows {
    let order = rows.indices.sorted { (rows[$0].series, $0) < (rows[$1].series, $1) }
    var grouped = self
    for (place, index) in order.enumerated() {
      grouped.rows[place] = rows[index]
      for field in 0..<fields {
        grouped.fieldKinds[place * fields + field] = fieldKinds[index * fields + field]
        grouped.fieldPayloads[place * fields + field] = fieldPayloads[index * fields + field]
      }
    }
    return grouped
  }

  package mutating func removeAll() {
    rows.removeAll(keepingCapacity: true)
    fieldKinds.removeAll(keepingCapacity: true)
    fieldPayloads.removeAll(keepingCapacity: true)
    sideValues.removeAll(keepingCapacity: true)
  }
}

/// What all rows of one pipeline have in common.
package struct RecordLayout: Sendable, Hashable {
  /// The Pipeline as `namespace/name`.
  package var pipeline: String
  /// Names of the fields, in the rows' order.
  package var fields: [String]
  package init(pipeline: String, fields: [String]) {
    self.pipeline = pipeline
    self.fields = fields
  }
}
