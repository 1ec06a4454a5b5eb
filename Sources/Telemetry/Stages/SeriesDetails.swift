package import SinkKit

/// What the stages know of a series.
package struct SeriesDetails {
  package var description: SeriesDescription
  /// The bounds of the property; nil where the model gives none.
  package var range: ClosedRange<Double>?
  package init(_ description: SeriesDescription, range: ClosedRange<Double>? = nil) {
    self.description = description
    self.range = range
  }
}
