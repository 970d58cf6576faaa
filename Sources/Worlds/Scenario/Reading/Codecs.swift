import MurmurMachines

extension Codec where Value == Int {
  /// A whole number within `range`.
  static func count(_ range: ClosedRange<Int>) -> Codec<Int> {
    let kind =
      range.upperBound == .max
      ? "a whole number from \(range.lowerBound) on" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    return Codec.text(kind, parse: { $0.utf8.count < 40 ? Int($0.filter { $0 != "_" }) : nil }, print: { String($0) })
      .limited(to: kind) { range.contains($0) }
  }

  /// A number of bytes.
  static func bytes(_ range: ClosedRange<Int>) -> Codec<Int> {
    let kind = "a size such as `256 KiB`"
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        let bytes = try Units.bytes.read(item, kind).rounded()
        guard bytes >= Double(range.lowerBound), bytes <= Double(range.upperBound) else {
          throw item.problem("\(item.shown) is out of range", "write \(range.lowerBound) B to \(range.upperBound) B")
        }
        return Int(bytes)
      },
      write: { .word(Units.bytes.text(Double($0))) })
  }
}

extension Codec where Value == Double {
  /// A number within `range`.
  static func number(_ range: ClosedRange<Double>) -> Codec<Double> {
    let kind = "a number from \(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
    return Codec.text(
      kind, parse: { text in Quantity(text).flatMap { $0.unit.isEmpty ? $0.value : nil } }, print: { Quantity.text($0) }
    ).limited(to: kind) { range.contains($0) }
  }

  /// A share or probability: `80 %` or `0.8`.
  static var share: Codec<Double> {
    let kind = "a share such as `80 %` or `0.8`"
    return Codec.text(kind, parse: { Shares.parse($0, isUnitless: true) }, print: { Shares.print($0) })
      .limited(to: "\(kind), from 0 to 1") { (0...1).contains($0) }
  }

  /// A share that may pass one: `150 %` or `1.5`.
  static func factor(_ range: ClosedRange<Double>) -> Codec<Double> {
    let kind = "a share such as `50 %` or `0.5`"
    return Codec.text(kind, parse: { Shares.parse($0, isUnitless: true) }, print: { Shares.print($0) })
      .limited(to: "\(kind), from \(Shares.print(range.lowerBound)) to \(Shares.print(range.upperBound))") { range.contains($0) }
  }
}

extension Codec where Value == Bool {
  /// Yes or no.
  static var flag: Codec<Bool> {
    .text(
      "`true` or `false`",
      parse: {
        ["true", "yes", "on"].contains($0.lowercased()) ? true : ["false", "no", "off"].contains($0.lowercased()) ? false : nil
      },
      print: { $0 ? "true" : "false" })
  }
}

extension Codec where Value == String {
  /// Any text of up to `limit` characters.
  static func words(upTo limit: Int, _ kind: String) -> Codec<String> {
    .text(
      kind, parse: { !$0.isEmpty && $0.unicodeScalars.count <= limit && !$0.contains("\0") ? $0 : nil }, print: { $0 })
  }
}

extension Codec where Value == UInt64 {
  /// A 64-bit seed.
  static var seed: Codec<UInt64> {
    .text(
      "a whole number from 0 to 2^64 − 1", parse: { $0.utf8.count < 40 ? UInt64($0.filter { $0 != "_" }) : nil },
      print: { String($0) })
  }
}

extension Codec where Value == Instant.Span {
  /// A length of time within `range`.
  static func duration(
    _ range: ClosedRange<Instant.Span> = .zero...Durations.longest, _ example: String = "15 min"
  ) -> Codec<Instant.Span> {
    let kind = "a duration such as `\(example)`"
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        let span = try Durations.read(item, kind)
        guard range.contains(span) else {
          throw item.problem(
            "\(item.shown) is out of range",
            "write a duration from \(Durations.text(range.lowerBound)) to \(Durations.text(range.upperBound))")
        }
        return span
      },
      write: { .word(Durations.text($0)) })
  }
}

extension Codec where Value == SessionTime {
  /// A time within the session: `30 min` or `50 %` of its length.
  static var sessionTime: Codec<SessionTime> {
    let kind = "a duration such as `30 min`, or a share of the session's length such as `50 %`"
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        if let text = item.text, let share = Shares.parse(text, isUnitless: false) {
          guard (0...1).contains(share) else { throw item.problem("\(item.shown) is out of range", "write 0 % to 100 %") }
          return .share(share)
        }
        let span = try Durations.read(item, kind)
        guard (.zero...Durations.longest).contains(span) else {
          throw item.problem("\(item.shown) is out of range", "write \(kind)")
        }
        return .after(span)
      },
      write: { time in
        switch time {
        case .after(let span): .word(Durations.text(span))
        case .share(let share): .word(Shares.print(share, isUnitless: false))
        }
      })
  }
}

extension Codec where Value == DataRate {
  /// Bits per second, or `unlimited`.
  static var dataRate: Codec<DataRate> {
    let kind = "a rate such as `20 Mbit/s` or `1 MB/s`, or `unlimited`"
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        if item.text == "unlimited" { return .unlimited }
        let bits = try Units.bits.read(item, kind)
        guard (1...1e15).contains(bits) else {
          throw item.problem("\(item.shown) is out of range", "write 1 bit/s to 1000000 Gbit/s")
        }
        return DataRate(bitsPerSecond: bits)
      },
      write: { .word($0.bitsPerSecond.isFinite ? Units.bits.text($0.bitsPerSecond) : "unlimited") })
  }
}

extension Codec where Value == ComputeRate {
  /// Floating-point operations per second.
  static var computeRate: Codec<ComputeRate> {
    let kind = "a speed such as `1 GFLOP/s`"
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        let rate = try Units.operations.read(item, kind)
        guard (1e3...1e18).contains(rate) else {
          throw item.problem("\(item.shown) is out of range", "write 1 kFLOP/s to 1000000 TFLOP/s")
        }
        return ComputeRate(perSecond: rate)
      },
      write: { .word(Units.operations.text($0.perSecond)) })
  }
}

/// Durations as text.
enum Durations {
  /// Longer than any session: a year.
  static let longest = Instant.Span.seconds(366 * 86_400)

  /// `item`'s duration; whole numbers of a unit are exact to the nanosecond.
  static func read(_ item: Item, _ kind: String) throws(ScenarioError.Problem) -> Instant.Span {
    let nanoseconds = try Units.time.read(item, kind)
    guard nanoseconds.magnitude < 9e18 else { throw item.problem("\(item.shown) is out of range", "write \(kind)") }
    if let quantity = item.text.flatMap(Quantity.init), let whole = Int64(quantity.digits),
      let worth = Units.time.worth(quantity.unit)
    {
      return Instant.Span(nanoseconds: whole * Int64(worth))
    }
    return Instant.Span(nanoseconds: Int64(nanoseconds.rounded()))
  }

  static func text(_ span: Instant.Span) -> String {
    for (name, worth) in Units.time.list where span != .zero && span.nanoseconds % Int64(worth) == 0 {
      return "\(span.nanoseconds / Int64(worth)) \(name)"
    }
    return "0 s"
  }
}

/// Shares as text.
enum Shares {
  /// `80 %`, and with `isUnitless` also `0.8`.
  static func parse(_ text: String, isUnitless: Bool) -> Double? {
    guard let quantity = Quantity(text) else { return nil }
    switch quantity.unit {
    case "%": return quantity.value / 100
    case "": return isUnitless ? quantity.value : nil
    default: return nil
    }
  }

  /// In percent where that reads back exactly, else as a plain number.
  static func print(_ share: Double, isUnitless: Bool = true) -> String {
    let percent = Quantity.text((share * 100 * 1e6).rounded() / 1e6)
    if (Double(percent) ?? .nan) / 100 == share { return "\(percent) %" }
    guard !isUnitless else { return Quantity.text(share) }
    // One of the neighbours of share · 100 gives share back exactly, whenever any percentage does.
    let whole = share * 100
    let near = [whole, whole.nextUp, whole.nextDown].first { $0 / 100 == share } ?? whole
    return "\(Quantity.text(near)) %"
  }
}
