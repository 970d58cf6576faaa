/// The text format of Prometheus, version 0.0.4.
enum PrometheusText {
  /// What a response says it is.
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// What a family is.
  enum Kind: String, Sendable {
    case counter
    case gauge
    case histogram
  }

  /// The two lines before a family.
  static func head(_ name: String, _ kind: Kind, _ help: String, to text: inout String) {
    if !help.isEmpty { text += "# HELP \(name) \(escaped(help, quotes: false))\n" }
    text += "# TYPE \(name) \(kind.rawValue)\n"
  }

  /// One sample.
  static func line(_ name: String, _ labels: String, _ value: String, to text: inout String) {
    text += name
    if !labels.isEmpty { text += "{" + labels + "}" }
    text += " " + value + "\n"
  }

  /// A number as the format wants it.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
    return "\(value)"
  }

  /// A name of letters, digits and `_`, that does not begin with a digit; anything else becomes `_`. With `colons` they stay.
  static func name(_ text: String, colons: Bool) -> String {
    var name = ""
    for scalar in text.unicodeScalars.prefix(128) {
      let isDigit = ("0"..."9").contains(scalar)
      let isFine =
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_" || isDigit || colons && scalar == ":"
      if isDigit, name.isEmpty { name += "_" }
      name.unicodeScalars.append(isFine ? scalar : "_")
    }
    return name.isEmpty ? "_" : name
  }

  /// Labels as they stand between braces, in the order of their names; at most ``mostLabels``, their values cut at ``mostValue`` characters.
  static func labels(_ dimensions: [(String, String)]) -> String {
    dimensions.prefix(mostLabels).map { (name($0.0, colons: false), escaped(String($0.1.prefix(mostValue)), quotes: true)) }
      .sorted { $0.0 < $1.0 }.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
  }

  static let mostLabels = 8
  static let mostValue = 128

  /// Backslashes, ends of lines and, in values, quotes behind a backslash.
  static func escaped(_ text: String, quotes: Bool) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\"" where quotes: out += "\\\""
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
