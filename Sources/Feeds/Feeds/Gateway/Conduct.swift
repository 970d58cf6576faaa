import MurmurIdentity
import MurmurMachines

/// So much in a second on average, and so much at once.
struct Allowance: Sendable {
  private let rate: Double
  private let burst: Double
  private var left: Double
  private var at: Instant

  init(rate: Double, burst: Double, at now: Instant) {
    (self.rate, self.burst, left, at) = (rate, burst, burst, now)
  }

  /// How long until `amount` may be used; more than the burst counts as the burst.
  mutating func wait(for amount: Double, at now: Instant) -> Instant.Span {
    left = min(burst, left + max((now - at).seconds, 0) * rate)
    at = max(at, now)
    let missing = min(amount, burst) - left
    // A nanosecond more than computed, or rounding might leave a grain that is never there.
    return missing > 0 ? .seconds(missing / rate) + Instant.Span(nanoseconds: 1) : .zero
  }

  mutating func use(_ amount: Double) { left -= min(amount, burst) }
}

/// What feeders did that they should not have: points that fade, and bans that end.
struct Conduct: Sendable {
  private struct Record: Sendable {
    var points = 0.0
    var at: Instant
    var bans = 0
    var until = Instant.origin
  }

  private let configuration: Gateway.Configuration
  private var records: [PeerID: Record] = [:]

  init(_ configuration: Gateway.Configuration) { self.configuration = configuration }

  func ban(of feeder: PeerID, at now: Instant) -> Instant.Span? {
    guard let until = records[feeder]?.until, until > now else { return nil }
    return until - now
  }

  /// What counts against a feeder now.
  func points(of feeder: PeerID, at now: Instant) -> Double {
    guard let record = records[feeder] else { return 0 }
    var (points, age) = (record.points, (now - record.at).seconds)
    let half = max(configuration.halfLife.seconds, 1e-3)
    while age >= half, points > 1e-6 {
      points /= 2
      age -= half
    }
    return points * (1 - 0.5 * min(age / half, 1))
  }

  /// Notes an offence; how long the feeder is shut out, if it was one too many.
  mutating func offend(_ feeder: PeerID, _ weight: Double, at now: Instant) -> Instant.Span? {
    var record = records[feeder] ?? Record(at: now)
    record.points = points(of: feeder, at: now) + weight
    record.at = now
    var span: Instant.Span?
    if record.points >= configuration.tolerance {
      let length = min(configuration.ban * Double(1 << min(record.bans, 10)), configuration.longestBan)
      record.bans += 1
      record.until = now + length
      record.points = 0
      span = length
    }
    records[feeder] = record
    if records.count > configuration.remembered { forget() }
    return span
  }

  /// A quarter goes: those that have been quiet longest.
  private mutating func forget() {
    let old = records.map { (last: max($0.value.until, $0.value.at), key: $0.key) }.sorted {
      $0.last != $1.last ? $0.last < $1.last : $0.key < $1.key
    }
    for entry in old.prefix(configuration.remembered / 4 + 1) { records[entry.key] = nil }
  }
}
