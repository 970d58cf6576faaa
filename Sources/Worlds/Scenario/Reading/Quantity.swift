import MurmurMachines

/// A number and its unit as a person writes them: `15 min`, `80%`, `1.5 GFLOP/s`.
struct Quantity {
  /// The number as written, without underscores.
  let digits: String
  let unit: String

  /// Takes `text` apart; `nil` if it does not begin with a number.
  init?(_ text: String) {
    var bytes = Array(text.utf8.prefix(100))[...]
    func skip(while test: (UInt8) -> Bool) -> [UInt8] {
      let taken = Array(bytes.prefix(while: test))
      bytes = bytes.dropFirst(taken.count)
      return taken
    }
    let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    var number: [UInt8] = []
    if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { number.append(bytes.removeFirst()) }
    let whole = skip { isDigit($0) || $0 == UInt8(ascii: "_") }.filter(isDigit)
    guard !whole.isEmpty else { return nil }
    number += whole
    if bytes.first == UInt8(ascii: "."), let next = bytes.dropFirst().first, isDigit(next) {
      number.append(bytes.removeFirst())
      number += skip(while: isDigit)
    }
    if let e = bytes.first, e == UInt8(ascii: "e") || e == UInt8(ascii: "E") {
      let rest = bytes.dropFirst()
      let signed = rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") ? rest.dropFirst() : rest
      if let next = signed.first, isDigit(next) {
        number += bytes.prefix(bytes.count - signed.count)
        bytes = signed
        number += skip(while: isDigit)
      }
    }
    digits = String(decoding: number, as: UTF8.self)
    unit = String(decoding: bytes.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
  }

  /// The number.
  var value: Double { Double(digits) ?? .nan }

  /// The shortest text that reads back as `value`, without a `.0`.
  static func text(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// The units of one dimension, largest first, with what one of each is worth.
struct Units: Sendable {
  let list: [(name: String, worth: Double)]
  /// Other spellings that are understood.
  var aliases: [(name: String, standard: String)] = []

  static let time = Units(
    list: [("d", 86_400e9), ("h", 3_600e9), ("min", 60e9), ("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1)],
    aliases: [("us", "µs"), ("μs", "µs"), ("sec", "s"), ("hour", "h"), ("hours", "h"), ("day", "d"), ("days", "d")])
  static let bits = Units(
    list: [
      ("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3), ("bit/s", 1), ("GB/s", 8e9), ("MB/s", 8e6), ("kB/s", 8e3), ("B/s", 8),
    ],
    aliases: [("Gbps", "Gbit/s"), ("Mbps", "Mbit/s"), ("kbps", "kbit/s"), ("bps", "bit/s")])
  static let operations = Units(
    list: [("TFLOP/s", 1e12), ("GFLOP/s", 1e9), ("MFLOP/s", 1e6), ("kFLOP/s", 1e3), ("FLOP/s", 1)])
  static let bytes = Units(
    list: [("GiB", 0x1p30), ("MiB", 0x1p20), ("KiB", 0x1p10), ("B", 1), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)])

  /// What one of `unit` is worth; `nil` if there is no such unit.
  func worth(_ unit: String) -> Double? {
    let name = aliases.first { $0.name == unit }?.standard ?? unit
    return list.first { $0.name == name }?.worth
  }

  /// `item`'s quantity in the smallest unit. Whole numbers are exact.
  func read(_ item: Item, _ kind: String) throws(ScenarioError.Problem) -> Double {
    guard let text = item.text, let quantity = Quantity(text) else { throw item.expected(kind) }
    if quantity.unit.isEmpty {
      if quantity.value == 0 { return 0 }
      throw item.problem("\(quoted(text)) has no unit", "write \(kind)")
    }
    guard let worth = worth(quantity.unit) else {
      let names = list.map(\.name)
      let nearest = Nearest.to(quantity.unit, among: names) ?? names[0]
      throw item.problem(
        "unknown unit \(quoted(quantity.unit))", "did you mean '\(nearest)'? (units: \(names.joined(separator: ", ")))")
    }
    let value = quantity.value * worth
    guard value.isFinite else { throw item.problem("\(quoted(text)) is out of range", "write \(kind)") }
    return value
  }

  /// `value` in the largest unit that gives at least one of it and reads back exactly.
  func text(_ value: Double) -> String {
    for (name, worth) in list where value.magnitude >= worth {
      let text = Quantity.text(value / worth)
      if (Double(text) ?? .nan) * worth == value, text.utf8.count <= 6 { return "\(text) \(name)" }
    }
    let smallest = list.first { $0.worth == 1 }?.name ?? ""
    return "\(Quantity.text(value)) \(smallest)"
  }
}
