import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurWire
import Testing

/// One ledger, what it wanted done, and a clock.
struct Lone {
  var ledger: Ledger
  var now = Instant.origin + .seconds(1_000)
  var chance: Chance
  var effects = Effects<Ledger.Effect>()
  /// What was wanted so far, timers and work left out.
  var wanted: [Ledger.Effect] = []
  var timers: [Ledger.Timer: Instant] = [:]
  let number: Int

  init(_ number: Int = 0, seed: UInt64 = 1, _ change: (inout Ledger.Configuration) -> Void = { _ in }) {
    var configuration = Ledger.Configuration(session: "test")
    configuration.baseDifficulty = 4
    change(&configuration)
    let keys = Made.keys(number)
    ledger = Ledger(id: keys.peerID, keys: keys, configuration: configuration)
    chance = Chance(seed: seed)
    self.number = number
    give(.started)
  }

  static func id(_ number: Int) -> PeerID { Made.keys(number).peerID }

  /// Milliseconds on the ledger's clock.
  var time: Int64 { now.nanoseconds / 1_000_000 }

  /// Gives an input and does the work that it leads to.
  mutating func give(_ input: Ledger.Input) {
    ledger.step(input, at: now, chance: &chance, effects: &effects)
    for effect in effects.take() {
      switch effect {
      case .work(let challenge): if let nonce = challenge.solve() { give(.worked(challenge, nonce: nonce)) }
      case .arm(let timer, let at): timers[timer] = at
      default: wanted.append(effect)
      }
    }
  }

  /// Gossips a transaction; says what it is worth.
  @discardableResult mutating func hear(_ bytes: [UInt8], from peer: Int? = nil) -> Ledger.Verdict? {
    give(.gossiped(from: peer.map(Lone.id), bytes))
    for case .judge(let verdict) in wanted.reversed() { return verdict }
    return nil
  }

  @discardableResult mutating func hear(_ transaction: Transaction, from peer: Int? = nil) -> Ledger.Verdict? {
    hear(transaction.bytes, from: peer)
  }

  /// Lets time pass, timers included.
  mutating func wait(_ span: Instant.Span) {
    let end = now + span
    while let next = timers.min(by: { ($0.value, $0.key.rank) < ($1.value, $1.key.rank) }), next.value <= end {
      now = max(now, next.value)
      timers[next.key] = nil
      give(.fired(next.key))
    }
    now = end
  }

  /// What was reported so far.
  var reports: [LedgerReport] { wanted.compactMap { if case .report(let report) = $0 { report } else { nil } } }

  /// Messages to a peer.
  func sent(to number: Int) -> [LedgerMessage] {
    wanted.compactMap { if case .send(let peer, let message) = $0, peer == Lone.id(number) { message } else { nil } }
  }

  /// What was told to be kept and not removed since, with the last snapshot.
  var disk: (transactions: [Transaction], snapshot: LedgerSnapshot?) {
    get throws {
      var kept: [Transaction] = []
      var snapshot: LedgerSnapshot?
      for effect in wanted {
        switch effect {
        case .keep(_, let bytes): kept.append(try Transaction(reading: bytes))
        case .prune(let ids, let last):
          let gone = Set(ids)
          kept.removeAll { gone.contains($0.id) }
          snapshot = try LedgerSnapshot.decode(last.encode())
        default: continue
        }
      }
      return (kept, snapshot)
    }
  }
}

extension Ledger.Timer {
  var rank: Int { Ledger.Timer.allCases.firstIndex(of: self) ?? 0 }
}

/// Issuers that act as a test wants, on top of what a ledger holds: each makes a chain of its own.
struct Authors {
  private var chains: [Int: (next: UInt64, last: Digest?)] = [:]

  /// The next transaction of an issuer, approving two others, genesis by default.
  mutating func next(
    _ issuer: Int, at time: Int64, on links: (Digest, Digest)? = nil, tag: [UInt8] = [], payload: [UInt8] = [1],
    difficulty: Int = 4
  ) throws -> Transaction {
    let chain = chains[issuer] ?? (0, nil)
    let made = try Made.transaction(
      issuer, sequence: chain.next, time: time, links: links, previous: chain.last, tag: tag, payload: payload,
      difficulty: difficulty)
    chains[issuer] = (chain.next + 1, made.digest)
    return made
  }
}

/// Many honest transactions of several issuers, each approving two random ones of those before it.
func history(_ count: Int, issuers: Int = 5, from time: Int64, seed: UInt64 = 3) throws -> [Transaction] {
  var chance = Chance(seed: seed), authors = Authors()
  var made: [Transaction] = []
  for number in 0..<count {
    let recent = made.suffix(6).map(\.digest)
    let links = recent.isEmpty ? nil : (recent[chance.below(recent.count)], recent[recent.count - 1])
    made.append(
      try authors.next(
        1 + chance.below(issuers), at: time + Int64(number * 500), on: links, tag: [UInt8(number % 7)],
        payload: [UInt8(number & 255)]))
  }
  return made
}
