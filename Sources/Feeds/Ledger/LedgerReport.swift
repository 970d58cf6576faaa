public import MurmurIdentity
public import MurmurMachines
public import MurmurWire

/// What a ledger noticed that should not have happened. Each is reported once an hour for each offender, as many offenders as
/// ``mostOffenders`` in that time.
public enum LedgerReport: Hashable, Sendable, CustomStringConvertible {
  /// A peer brought bytes that are no transaction.
  case malformed(from: PeerID?, String)
  /// A peer brought a transaction that is not signed by whom it names.
  case forged(from: PeerID?, issuer: PeerID)
  /// A transaction lacks the work that its issuer's rate demands, or any.
  case workless(from: PeerID?, issuer: PeerID)
  /// An issuer's time is ahead of the clock, or before that of what it approves.
  case untimely(issuer: PeerID, CID)
  /// An issuer numbered two transactions alike, or went on from an old one: the proof is the two.
  case doubleIssue(issuer: PeerID, CID, CID)
  /// An issuer's transaction approves only what is long over.
  case lazy(issuer: PeerID, CID)
  /// An issuer fills more than its share of the room.
  case flood(issuer: PeerID)
  /// A peer asks for more than it may, or sends what nobody asked for.
  case excess(from: PeerID)

  /// The most offenders that are reported within ``memory``.
  public static let mostOffenders = 4_096
  /// How long it is remembered that an offender was reported.
  public static let memory = Instant.Span.minutes(60)

  /// The issuer it is about, where it is about one.
  public var issuer: PeerID? {
    switch self {
    case .malformed, .excess: nil
    case .forged(_, let issuer), .workless(_, let issuer), .untimely(let issuer, _), .doubleIssue(let issuer, _, _),
      .lazy(let issuer, _),
      .flood(let issuer):
      issuer
    }
  }

  /// One sentence.
  public var description: String {
    func by(_ peer: PeerID?) -> String { peer.map { "peer \($0)" } ?? "somebody" }
    switch self {
    case .malformed(let from, let problem): return "\(by(from)) brought what is no transaction: \(problem)"
    case .forged(let from, let issuer): return "\(by(from)) brought a transaction in the name of \(issuer) that it did not sign"
    case .workless(let from, let issuer): return "\(by(from)) brought a transaction of \(issuer) without the work it needs"
    case .untimely(let issuer, let id): return "\(id) of \(issuer) has an impossible time"
    case .doubleIssue(let issuer, let first, let second): return "\(issuer) issued both \(first) and \(second) in one place"
    case .lazy(let issuer, let id): return "\(id) of \(issuer) approves only what is long over"
    case .flood(let issuer): return "\(issuer) fills more than its share of the ledger"
    case .excess(let peer): return "\(peer) asks or sends more than it may"
    }
  }

  /// What it is known by: kind and offender.
  var offence: Offence {
    switch self {
    case .malformed(let from, _): Offence(kind: 0, who: from)
    case .forged(let from, _): Offence(kind: 1, who: from)
    case .workless(_, let issuer): Offence(kind: 2, who: issuer)
    case .untimely(let issuer, _): Offence(kind: 3, who: issuer)
    case .doubleIssue(let issuer, _, _): Offence(kind: 4, who: issuer)
    case .lazy(let issuer, _): Offence(kind: 5, who: issuer)
    case .flood(let issuer): Offence(kind: 6, who: issuer)
    case .excess(let peer): Offence(kind: 7, who: peer)
    }
  }

  struct Offence: Hashable, Sendable {
    let kind: Int
    let who: PeerID?

    static let kinds = 9
    /// Work that somebody brought in a name that nobody has signed for.
    static func brought(by peer: PeerID?) -> Offence { Offence(kind: 8, who: peer) }
  }
}
