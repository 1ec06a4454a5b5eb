/// The units that ``Unit/init(_:)`` knows. Definitions: UCUM, tables 1 to 27; SI brochure, 9th edition.
enum UnitTable {
  struct Entry {
    var unit: Unit
    /// Whether prefixes such as `k` may stand before it.
    var isMetric: Bool
  }

  static let prefixes: [(text: String, factor: Double)] = [
    ("da", 1e1), ("Ki", 1_024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("Ti", 1_099_511_627_776), ("Y", 1e24),
    ("Z", 1e21), ("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("h", 1e2), ("d", 1e-1),
    ("c", 1e-2), ("m", 1e-3), ("u", 1e-6), ("µ", 1e-6), ("μ", 1e-6), ("n", 1e-9), ("p", 1e-12), ("f", 1e-15),
    ("a", 1e-18),
  ]

  /// Spellings that are not UCUM's, and what they stand for.
  static let dialects: [String: String] = [
    "°C": "Cel", "degC": "Cel", "℃": "Cel", "°F": "[degF]", "degF": "[degF]", "℉": "[degF]", "°": "deg", "Wh": "W.h",
    "kWh": "kW.h", "MWh": "MW.h", "GWh": "GW.h", "VA": "V.A", "kVA": "kV.A", "var": "V.A", "kvar": "kV.A", "Ah": "A.h",
    "kVAh": "kV.A.h", "kvarh": "kV.A.h", "psi": "[psi]", "ft": "[ft_i]", "in": "[in_i]", "mi": "[mi_i]",
    "lb": "[lb_av]", "gal": "[gal_us]", "mph": "[mi_i]/h", "kmh": "km/h", "rpm": "circ/min", "ppm": "[ppm]",
    "m³": "m3", "m²": "m2", "Ω": "Ohm", "hp": "[HP]", "BTU": "[Btu_IT]",
  ]

  static let units: [String: Entry] = {
    var units: [String: Entry] = [:]
    func add(_ name: String, _ dimension: [Int8], _ factor: Double, offset: Double = 0, metric: Bool = false) {
      let padded = dimension + [Int8](repeating: 0, count: 9 - dimension.count)
      units[name] = Entry(
        unit: Unit(Unit.Dimension(exponents: padded), factor: factor, offset: offset), isMetric: metric)
    }
    // Base units, in the order metre, gram, second, kelvin, ampere, mole, candela, radian, bit.
    add("m", [1], 1, metric: true)
    add("g", [0, 1], 1, metric: true)
    add("s", [0, 0, 1], 1, metric: true)
    add("K", [0, 0, 0, 1], 1, metric: true)
    add("A", [0, 0, 0, 0, 1], 1, metric: true)
    add("mol", [0, 0, 0, 0, 0, 1], 1, metric: true)
    add("cd", [0, 0, 0, 0, 0, 0, 1], 1, metric: true)
    add("rad", [0, 0, 0, 0, 0, 0, 0, 1], 1, metric: true)
    add("bit", [0, 0, 0, 0, 0, 0, 0, 0, 1], 1, metric: true)
    add("By", [0, 0, 0, 0, 0, 0, 0, 0, 1], 8, metric: true)
    // Without a dimension.
    add("1", [], 1)
    add("%", [], 1e-2)
    add("[ppth]", [], 1e-3)
    add("[ppm]", [], 1e-6)
    add("[ppb]", [], 1e-9)
    // Temperature. The offset is in kelvin.
    add("Cel", [0, 0, 0, 1], 1, offset: 273.15, metric: true)
    add("[degF]", [0, 0, 0, 1], 5.0 / 9, offset: 459.67 * 5 / 9)
    add("[degR]", [0, 0, 0, 1], 5.0 / 9)
    // Time.
    add("min", [0, 0, 1], 60)
    add("h", [0, 0, 1], 3_600)
    add("d", [0, 0, 1], 86_400)
    add("wk", [0, 0, 1], 604_800)
    add("a", [0, 0, 1], 31_557_600)
    // Mechanics; a newton is 1000 g.m/s2.
    add("Hz", [0, 0, -1], 1, metric: true)
    add("N", [1, 1, -2], 1_000, metric: true)
    add("Pa", [-1, 1, -2], 1_000, metric: true)
    add("bar", [-1, 1, -2], 1e8, metric: true)
    add("atm", [-1, 1, -2], 101_325e3)
    add("[psi]", [-1, 1, -2], 6_894.757_293_168_361e3)
    add("mm[Hg]", [-1, 1, -2], 133.322e3)
    add("m[H2O]", [-1, 1, -2], 9_806.65e3, metric: true)
    add("J", [2, 1, -2], 1_000, metric: true)
    add("W", [2, 1, -3], 1_000, metric: true)
    add("cal", [2, 1, -2], 4_184, metric: true)
    add("eV", [2, 1, -2], 1.602_176_634e-16, metric: true)
    add("[Btu_IT]", [2, 1, -2], 1_055.055_852_62e3)
    add("[HP]", [2, 1, -3], 745.699_871_582_270_2e3)
    add("kgf", [1, 1, -2], 9.806_65e3)
    add("t", [0, 1], 1e6, metric: true)
    add("[lb_av]", [0, 1], 453.592_37)
    add("[oz_av]", [0, 1], 28.349_523_125)
    add("[in_i]", [1], 0.025_4)
    add("[ft_i]", [1], 0.304_8)
    add("[yd_i]", [1], 0.914_4)
    add("[mi_i]", [1], 1_609.344)
    add("[nmi_i]", [1], 1_852)
    add("[kn_i]", [1, 0, -1], 1_852.0 / 3_600)
    add("L", [3], 1e-3, metric: true)
    add("l", [3], 1e-3, metric: true)
    add("[gal_us]", [3], 3.785_411_784e-3)
    add("[bbl_us]", [3], 0.158_987_294_928)
    add("ar", [2], 100, metric: true)
    add("deg", [0, 0, 0, 0, 0, 0, 0, 1], .pi / 180)
    add("circ", [0, 0, 0, 0, 0, 0, 0, 1], 2 * .pi)
    // Electricity.
    add("C", [0, 0, 1, 0, 1], 1, metric: true)
    add("V", [2, 1, -3, 0, -1], 1_000, metric: true)
    add("Ohm", [2, 1, -3, 0, -2], 1_000, metric: true)
    add("S", [-2, -1, 3, 0, 2], 1e-3, metric: true)
    add("F", [-2, -1, 4, 0, 2], 1e-3, metric: true)
    add("H", [2, 1, -2, 0, -2], 1_000, metric: true)
    add("T", [0, 1, -2, 0, -1], 1_000, metric: true)
    add("Wb", [2, 1, -2, 0, -1], 1_000, metric: true)
    // Light and radiation.
    add("lm", [0, 0, 0, 0, 0, 0, 1], 1, metric: true)
    add("lx", [-2, 0, 0, 0, 0, 0, 1], 1, metric: true)
    add("Bq", [0, 0, -1], 1, metric: true)
    add("Gy", [2, 0, -2], 1, metric: true)
    add("Sv", [2, 0, -2], 1, metric: true)
    add("Bd", [0, 0, -1], 1, metric: true)
    return units
  }()
}
