internal import DeviceKit
internal import SinkKit

extension ByteWriter {
  mutating func point(_ name: PointName) {
    string(name.device.namespace)
    string(name.device.name)
    string(name.property)
  }

  mutating func description(_ series: SeriesDescription) {
    string(series.node)
    string(series.device.namespace)
    string(series.device.name)
    string(series.property)
    string(series.model)
    string(series.unit)
    varint(UInt64(series.labels.count))
    for (key, value) in series.labels.sorted(by: { $0.key < $1.key }) {
      string(key)
      string(value)
    }
  }
}

extension ByteReader {
  mutating func point() throws(DecodingFault) -> PointName {
    let device = DeviceKey(namespace: try string(), name: try string())
    return PointName(device: device, property: try string())
  }

  mutating func description() throws(DecodingFault) -> SeriesDescription {
    let node = try string()
    let device = DeviceKey(namespace: try string(), name: try string())
    var series = SeriesDescription(node: node, device: device, property: try string())
    series.model = try string()
    series.unit = try string()
    for _ in 0..<(try count()) {
      let key = try string()
      series.labels[key] = try string()
    }
    return series
  }
}
