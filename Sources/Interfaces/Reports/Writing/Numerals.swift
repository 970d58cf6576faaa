/// Numbers as people read them. All of it is plain arithmetic, the same on every machine and in every locale.
public enum Numerals {
  /// What stands for a number that is not known or not a number.
  public static let unknown = "–"

  /// The shortest decimal form that reads back as the same bits; whole numbers without a fraction.
  public static func exact(_ value: Double) -> String {
    guard value.isFinite else { return "" }
    if value == value.rounded(), abs(value) < 9e15 { return String(Int64(value)) }
    return value.description
  }

  /// A decimal with exactly `places` digits after the point (half away from zero) and groups of three before it.
  public static func decimal(_ value: Double, places: Int = 1) -> String {
    guard value.isFinite else { return unknown }
    let places = min(max(places, 0), 9)
    let scale = (0..<places).reduce(1.0) { power, _ in power * 10 }
    let shifted = (abs(value) * scale).rounded()
    guard shifted < 9e15 else { return value.description }
    let whole = Int64(shifted)
    let unit = Int64(scale)
    let sign = value < 0 && whole != 0 ? "−" : ""
    guard places > 0 else { return sign + group(String(whole)) }
    let fraction = String(whole % unit)
    return sign + group(String(whole / unit)) + "." + String(repeating: "0", count: places - fraction.count) + fraction
  }

  /// A decimal with up to `places` digits after the point, without zeros at its end.
  public static func trimmed(_ value: Double, places: Int = 2) -> String {
    var text = decimal(value, places: places)
    guard places > 0, text.contains("."), value.isFinite else { return text }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text == "−0" ? "0" : text
  }

  /// A whole number in groups of three: `12,345`.
  public static func count(_ value: Int) -> String { (value < 0 ? "−" : "") + group(String(value.magnitude)) }

  /// A number of things, with the noun in the right form: `1 peer`, `20 peers`.
  public static func count(_ value: Int, _ noun: String, _ plural: String? = nil) -> String {
    "\(count(value)) \(value == 1 ? noun : plural ?? noun + "s")"
  }

  /// A percentage: `95.2 %`.
  public static func percent(_ value: Double?, places: Int = 1) -> String {
    guard let value, value.isFinite else { return unknown }
    return decimal(value, places: places) + " %"
  }

  /// A share in 0…1 as a percentage: `0.8` is `80 %`.
  public static func share(_ value: Double?, places: Int = 0) -> String { percent(value.map { $0 * 100 }, places: places) }

  /// A size in decimal units with about three digits: `3.21 MB`.
  public static func bytes(_ value: Double?) -> String {
    guard let value, value.isFinite else { return unknown }
    if abs(value) < 999.5 { return decimal(value, places: 0) + " B" }
    var scaled = value
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
      scaled /= 1000
      if abs(scaled) < 999.5 || unit == "PB" {
        return decimal(scaled, places: abs(scaled) < 9.995 ? 2 : abs(scaled) < 99.95 ? 1 : 0) + " " + unit
      }
    }
    return unknown
  }

  /// A length of time in the two largest units that matter: `840 ms`, `8.3 s`, `3 min 20 s`, `3 h 20 min`, `2 d 4 h`.
  public static func duration(_ seconds: Double?) -> String {
    guard let seconds, seconds.isFinite else { return unknown }
    let size = abs(seconds)
    let sign = seconds < 0 ? "−" : ""
    if size == 0 { return "0 s" }
    if size < 0.9995 { return sign + decimal(size * 1000, places: 0) + " ms" }
    if size < 59.95 { return sign + trimmed(size, places: 1) + " s" }
    let whole = size.rounded() < 9e15 ? Int(size.rounded()) : Int(9e15)
    func pair(_ left: Int, _ leftUnit: String, _ right: Int, _ rightUnit: String) -> String {
      sign + count(left) + " " + leftUnit + (right == 0 ? "" : " \(right) \(rightUnit)")
    }
    if whole < 3600 { return pair(whole / 60, "min", whole % 60, "s") }
    let minutes = (whole + 30) / 60
    if minutes < 48 * 60 { return pair(minutes / 60, "h", minutes % 60, "min") }
    let hours = (whole + 1800) / 3600
    return pair(hours / 24, "d", hours % 24, "h")
  }

  private static func group(_ digits: String) -> String {
    guard digits.count > 3 else { return digits }
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return result
  }
}
