/// Units as the Unified Code for Units of Measure writes them (ucum.org), which OTLP asks for.
public enum UCUM {
  /// Spellings that models use and UCUM does not, case for case.
  private static let spellings: [String: String] = [
    "°C": "Cel", "℃": "Cel", "degC": "Cel", "celsius": "Cel", "Celsius": "Cel", "°F": "[degF]", "degF": "[degF]",
    "fahrenheit": "[degF]", "Fahrenheit": "[degF]", "kelvin": "K", "°": "deg", "degrees": "deg", "percent": "%",
    "%RH": "%", "ratio": "1", "count": "1", "pcs": "{piece}", "pieces": "{piece}", "rpm": "{revolution}/min",
    "RPM": "{revolution}/min", "Wh": "W.h", "kWh": "kW.h", "MWh": "MW.h", "VA": "V.A", "kVA": "kV.A",
    "var": "V.A{reactive}",
    "kvar": "kV.A{reactive}", "kvarh": "kV.A.h{reactive}", "Ah": "A.h", "mAh": "mA.h", "ohm": "Ohm", "Ω": "Ohm",
    "kΩ": "kOhm", "µm": "um", "μm": "um", "µs": "us", "μs": "us", "m²": "m2", "m³": "m3", "m³/h": "m3/h",
    "m/s²": "m/s2",
    "l": "L", "l/min": "L/min", "l/h": "L/h", "sec": "s", "seconds": "s", "minutes": "min", "hours": "h", "days": "d",
    "psi": "[psi]", "inHg": "[in_i'Hg]", "ft": "[ft_i]", "in": "[in_i]", "gal": "[gal_us]", "mph": "[mi_i]/h",
    "dBm": "dB[mW]", "bytes": "By", "ppm": "[ppm]", "ppb": "[ppb]", "pH": "[pH]",
  ]

  /// `unit` in UCUM where it is one of the common spellings; otherwise as it is.
  public static func code(of unit: String) -> String { spellings[unit] ?? unit }
}
