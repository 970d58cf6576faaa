/// HTML or SVG text that is escaped by construction: what stands in the literal is markup, what is interpolated is text.
///
/// `"<p>\(name)</p>" as Markup` escapes `name`, whatever it holds; only another `Markup` is inserted as it is. Attribute values must
/// stand in double quotes. Characters that XML does not allow become U+FFFD.
package struct Markup: Hashable, Sendable, ExpressibleByStringInterpolation {
  /// The markup.
  package private(set) var text: String

  /// Nothing.
  package init() { text = "" }
  package init(stringLiteral value: String) { text = value }
  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }
  /// Markup that somebody else has made well.
  package init(trusted text: String) { self.text = text }

  package static func += (left: inout Markup, right: Markup) { left.text += right.text }

  /// The parts one after the other.
  package static func joined(_ parts: some Sequence<Markup>, separator: String = "") -> Markup {
    Markup(trusted: parts.map(\.text).joined(separator: separator))
  }

  /// The text with `&`, `<`, `>` and both quotation marks escaped.
  package static func escape(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value & 0xfffe == 0xfffe:
        result.unicodeScalars.append("\u{fffd}")
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Text to read: escaped, and numbers stay on one line with their units.
  package static func prose(_ text: String) -> Markup {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    var joined = ""
    for (index, word) in words.enumerated() {
      if index > 0 {
        let unit = word.prefix { !".,;:)!?".contains($0) }
        let bound = units.contains(String(unit)) && words[index - 1].last.map { $0.isNumber } == true
        joined += bound ? "\u{a0}" : " "
      }
      joined += word
    }
    return Markup(trusted: escape(joined))
  }

  private static let units = ["%", "B", "kB", "MB", "GB", "TB", "PB", "ms", "s", "min", "h", "d"]

  /// What `"…\(…)…"` collects.
  package struct StringInterpolation: StringInterpolationProtocol {
    var text = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }
    package mutating func appendLiteral(_ literal: String) { text += literal }
    package mutating func appendInterpolation(_ value: String) { text += Markup.escape(value) }
    package mutating func appendInterpolation(_ value: Int) { text += String(value) }
    package mutating func appendInterpolation(_ value: Markup) { text += value.text }
    /// A coordinate, to a tenth of a unit.
    package mutating func appendInterpolation(at value: Double) { text += Markup.coordinate(value) }
  }

  /// A coordinate to a tenth of a unit, bounded so that no drawing program chokes on it.
  static func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    return Numerals.exact((min(max(value, -1e5), 1e5) * 10).rounded() / 10)
  }
}
