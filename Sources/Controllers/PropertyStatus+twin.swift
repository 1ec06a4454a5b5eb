internal import DeviceKit
internal import Documents
public import TwinStore

extension PropertyStatus {
  /// The property as a twin has it.
  public init(_ property: TwinSnapshot.Property) {
    let isHeard = property.reading.sourceTime.nanoseconds > 0
    self.init(
      name: property.name, reported: property.reading.value?.json, quality: property.reading.quality,
      time: isHeard ? property.reading.sourceTime : nil, desired: property.desired?.value,
      state: property.state?.rawValue, message: property.message,
      isSummary: property.definition?.isSummary ?? false)
  }
}
