import MurmurIdentity
import MurmurLedger
import MurmurMachines
import MurmurWire

/// The ledger: its decoders and its machine.
extension Target {
  static let ledger: [Target] = [
    Target("cbor", seeds: { [CBORValue.map(["a": .array([.unsigned(1), .link(Sample.cid), .text("b")])]).encoded] }) { bytes in
      guard let value = try? CBORValue(decoding: bytes) else { return }
      precondition(value.encoded == bytes)
    },
    Target("transaction", seeds: { [transaction(1, [1, 2, 3])] }) { bytes in
      guard let transaction = try? Transaction(reading: bytes) else { return }
      precondition(transaction.bytes == bytes && transaction.payload.count == transaction.payloadBytes)
      _ = try? Transaction.verified(bytes, least: 0)
    },
    Target("ledger-message", seeds: { ledgerMessages.map { $0.encode() } }) { bytes in
      guard let message = try? LedgerMessage.decode(bytes) else { return }
      precondition((try? LedgerMessage.decode(message.encode())) == message && message.encode().count == message.wireSize)
    },
    Target("ledger-snapshot", seeds: { [LedgerSnapshot(entryPoints: [Sample.cid.digest]).encode()] }) { bytes in
      guard let snapshot = try? LedgerSnapshot.decode(bytes) else { return }
      precondition(snapshot.encode() == bytes)
    },
    Target("ledger", seeds: { ledgerMessages.map { [0, 1, 2, 1] + piece($0.encode()) + [5, 0, 3, 4, 1] } }) { bytes in
      keepsLedger(bytes)
    },
  ]

  /// A first transaction of an issuer.
  private static func transaction(_ issuer: Int, _ payload: [UInt8]) -> [UInt8] {
    let genesis = Ledger.Configuration(session: "fuzz").genesis
    let body = Transaction.encode(
      .init(
        issuer: Sample.keys[issuer].peerID, sequence: 0, time: 0, links: (genesis, genesis), previous: nil, tag: [1],
        difficulty: 0),
      payload: payload)
    let signature = Sample.keys[issuer].sign(Transaction.signedBytes(of: .sha256(of: body), nonce: 0))
    return (try? Transaction(body: body, nonce: 0, signature: signature).bytes) ?? []
  }

  private static let ledgerMessages: [LedgerMessage] = [
    .frontier([Sample.cid.digest]), .wanted([Sample.cid.digest]),
    .batch(.init(transactions: [transaction(1, [1]), transaction(2, [2])], pruned: [Sample.cid.digest], answersFrontier: true)),
  ]

  private static func keepsLedger(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var configuration = Ledger.Configuration(session: "fuzz")
    configuration.baseDifficulty = 0
    configuration.limits.transactions = 32
    configuration.limits.waiting = 16
    configuration.limits.queue = 4
    var machine = Ledger(id: Sample.peer(0), keys: Sample.keys[0], configuration: configuration)
    var chance = Chance(seed: 1)
    var now = Instant.origin
    while !draw.isEmpty {
      var effects = Effects<Ledger.Effect>()
      let peer = Sample.peer(1 + Int(draw.byte()))
      let input: Ledger.Input
      switch draw.byte() % 7 {
      case 0: input = .connected(peer)
      case 1: input = .disconnected(peer)
      case 2:
        guard let message = try? LedgerMessage.decode(draw.piece()) else { continue }
        input = .received(from: peer, message)
      case 3: input = .gossiped(from: peer, draw.piece())
      case 4: input = .issue(tag: [draw.byte()], payload: draw.piece(most: 64))
      case 5: input = .started
      default:
        now = now + .milliseconds(Double(draw.below(20_000)))
        input = .fired(Ledger.Timer.allCases[draw.below(4)])
      }
      machine.step(input, at: now, chance: &chance, effects: &effects)
      for case .work(let challenge) in effects.take() {
        machine.step(.worked(challenge, nonce: challenge.solve() ?? 0), at: now, chance: &chance, effects: &effects)
      }
      precondition(machine.holdings.transactions <= 32 && machine.holdings.waiting <= 16)
    }
  }
}
