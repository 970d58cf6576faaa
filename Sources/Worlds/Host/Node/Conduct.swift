public import MurmurMachines

/// How much misconduct a node bears, and for how long it shuts out who exceeds that.
public struct ConductLimits: Hashable, Sendable {
  /// Misconduct fades: after this long, half of it is forgotten.
  public var halfLife = Instant.Span.minutes(1)
  /// How long a peer is shut out the first time; doubles with every further time.
  public var ban = Instant.Span.seconds(30)
  /// The longest that a peer is shut out.
  public var longestBan = Instant.Span.minutes(10)
  /// After this long without a ban the next one is short again.
  public var forgiveness = Instant.Span.minutes(60)
  /// Peers whose misconduct is remembered, and as many addresses; beyond, a quarter goes, those first that have been quiet longest.
  public var remembered = 1_024
  /// What may come from one address, summed over all its peers, until nobody is let in from there: many peers may share an address.
  public var addressTolerance = 24.0
  /// Whether addresses of this machine are never shut out; their peers are.
  public var sparesLoopback = true

  /// The defaults.
  public init() {}
}

/// What was done by peers, or from addresses, that should not have been: points that fade, and bans that end.
package struct Misconduct<Key: Hashable & Comparable> {
  private struct Record {
    var points = 0.0
    var at: Instant
    var bans = 0
    var until = Instant.origin
  }

  private let limits: ConductLimits
  private let tolerance: Double
  private var records: [Key: Record] = [:]

  package init(_ limits: ConductLimits, tolerance: Double) {
    self.limits = limits
    self.tolerance = tolerance
  }

  /// How many are remembered.
  package var count: Int { records.count }

  /// How many are shut out.
  package func banned(at now: Instant) -> Int { records.values.count { $0.until > now } }

  /// How long `key` is still shut out; `nil` if it is not.
  package func ban(of key: Key, at now: Instant) -> Instant.Span? {
    guard let until = records[key]?.until, until > now else { return nil }
    return until - now
  }

  /// What is remembered against `key` now.
  package func points(of key: Key, at now: Instant) -> Double { records[key].map { faded($0, at: now) } ?? 0 }

  /// Notes an offence. How long `key` is shut out from now on, if this was one too many.
  package mutating func offend(_ key: Key, _ weight: Double, at now: Instant) -> Instant.Span? {
    var record = records[key] ?? Record(at: now)
    record.points = faded(record, at: now) + weight
    record.at = now
    var span: Instant.Span?
    // Three offences of one point within seconds are three, though the first has faded a little.
    if record.points > tolerance - Misconduct.grace, record.until <= now {
      if now - record.until > limits.forgiveness { record.bans = 0 }
      let length = min(limits.ban * Double(1 << min(record.bans, 10)), limits.longestBan)
      record.bans += 1
      record.until = now + length
      record.points = 0
      span = length
    }
    records[key] = record
    if records.count > limits.remembered { forget() }
    return span
  }

  /// What may have faded of the points that are too many.
  private static var grace: Double { 0.25 }

  private func faded(_ record: Record, at now: Instant) -> Double {
    var points = record.points
    var age = (now - record.at).seconds
    let half = max(limits.halfLife.seconds, 1e-3)
    while age >= half, points > 1e-6 {
      points /= 2
      age -= half
    }
    return points * (1 - 0.5 * min(age / half, 1))
  }

  private mutating func forget() {
    let old = records.map { (last: max($0.value.until, $0.value.at), key: $0.key) }.sorted {
      $0.last != $1.last ? $0.last < $1.last : $0.key < $1.key
    }
    for entry in old.prefix(limits.remembered / 4 + 1) { records[entry.key] = nil }
  }
}
