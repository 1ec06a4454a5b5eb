public import Documents

/// How much of what the twins went through is kept.
public struct TwinHistoryLimits: Sendable, Hashable {
  /// Older entries go.
  public var age: Duration
  /// Bytes of the file that all entries together may take, about.
  public var bytes: Int
  /// Entries of one property; fewer where many properties share ``bytes``.
  public var entriesPerProperty: Int

  public init(age: Duration = .seconds(7 * 86_400), bytes: Int = 16 << 20, entriesPerProperty: Int = 1_000) {
    self.age = age
    self.bytes = bytes
    self.entriesPerProperty = entriesPerProperty
  }

  /// What a property may have where `properties` have any: an even part of ``bytes``, but never less than 16.
  func entries(amongst properties: Int) -> Int {
    let share = bytes / (HistoryRow.typicalBytes * Swift.max(1, properties))
    return Swift.max(1, Swift.min(entriesPerProperty, Swift.max(16, share)))
  }
}

/// One thing that happened to one property of a twin.
public struct TwinHistoryEntry: Sendable, Hashable {
  public enum Kind: Int, Sendable, Hashable, CaseIterable {
    /// A desired value was set, changed or taken away: `from`, `to`, `by`.
    case desired
    /// Its state changed: `from`, `to`, `reason`, `message`, and the `desired` value.
    case transition
    /// A command came to its end: `value`, `by`, `state`, `message`.
    case command
    /// A local change was kept beside what the Device's spec wishes: `value`, `by`.
    case drift
    /// The device reported another value, or its quality became Bad or usable again: `from`, `to`, `quality`.
    case reported

    /// `Desired`, `Transition`, `Command`, `Drift` or `Reported`.
    public var name: String {
      switch self {
      case .desired: "Desired"
      case .transition: "Transition"
      case .command: "Command"
      case .drift: "Drift"
      case .reported: "Reported"
      }
    }
    /// Reads ``name``, in any case.
    public init?(_ text: String) {
      guard let kind = Kind.allCases.first(where: { $0.name.lowercased() == text.lowercased() }) else { return nil }
      self = kind
    }
  }
  /// Rises from entry to entry, over restarts too.
  public var id: Int64
  /// A version of the twin that has the change, or that it came right after; never less than an earlier entry's.
  public var version: UInt64
  /// When it reached the gateway.
  public var time: Timestamp
  public var property: String
  public var kind: Kind
  /// An object with what the kind names; `skipped` counts changes before this one that were too many to keep.
  public var details: JSONValue

  public init(id: Int64, version: UInt64, time: Timestamp, property: String, kind: Kind, details: JSONValue) {
    self.id = id
    self.version = version
    self.time = time
    self.property = property
    self.kind = kind
    self.details = details
  }
}

/// Which entries are asked for: all that meet every part.
public struct TwinHistoryQuery: Sendable, Hashable {
  /// Nil: every property.
  public var property: String?
  /// The first moment that counts.
  public var since: Timestamp?
  /// The first moment that does not count any more.
  public var until: Timestamp?
  /// Empty: every kind.
  public var kinds: Set<TwinHistoryEntry.Kind>
  /// The most entries of one page.
  public var limit: Int
  /// Only what is older than the entry with this id: where an earlier page ended.
  public var before: Int64?

  public init(
    property: String? = nil, since: Timestamp? = nil, until: Timestamp? = nil,
    kinds: Set<TwinHistoryEntry.Kind> = [], limit: Int = 500, before: Int64? = nil
  ) {
    self.property = property
    self.since = since
    self.until = until
    self.kinds = kinds
    self.limit = limit
    self.before = before
  }

  func matches(_ row: HistoryRow) -> Bool {
    row.id < before ?? .max && row.time >= since?.nanoseconds ?? .min && row.time < until?.nanoseconds ?? .max
      && (kinds.isEmpty || kinds.contains(row.kind))
  }

  /// A bit for each kind.
  var kindMask: Int64 {
    (kinds.isEmpty ? Set(TwinHistoryEntry.Kind.allCases) : kinds).reduce(0) { $0 | 1 << Int64($1.rawValue) }
  }
}

/// The newest entries that a query asks for.
public struct TwinHistoryPage: Sendable, Hashable {
  /// The newest last.
  public var entries: [TwinHistoryEntry]
  /// ``TwinHistoryQuery/before`` of the page before this one; nil: there is nothing older.
  public var older: Int64?
  /// The twin's version at the moment of asking.
  public var version: UInt64
}
