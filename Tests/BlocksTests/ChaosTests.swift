import MurmurBlocks
import MurmurIdentity
import MurmurMachines
import MurmurWire
import Testing

/// Anything may happen in any order; the counters add up after each step, and a calm world brings the object in the end.
@Suite struct ChaosTests {
  @Test(arguments: Effort.seeds) func `after any course of events the accounts agree, and an honest peer ends it well`(
    seed: UInt64
  ) throws {
    var chance = Chance(seed: seed)
    var limits = Limits()
    limits.ledgers = 12
    limits.fetches = 4
    limits.windowBytesPerPeer = 2_000
    limits.grace = 5_000
    limits.attempts = 3
    let objects = (0..<3).map { number in
      Object.build(randomBytes(chance.below(3_000), seed: seed &* 3 &+ UInt64(number)), chunk: [40, 300, 2_000][number])
    }
    let blocks = objects.flatMap(\.blocks)
    var exchange = Exchange(store: BlockStore(budget: 20_000), limits: limits)
    var effects = Effects<Exchange.Effect>()
    var now = Instant.origin
    for _ in 0..<800 {
      now = now + .milliseconds(Double(chance.below(2_000)))
      let input = self.input(&chance, objects, blocks, now)
      exchange.step(input, at: now, chance: &chance, effects: &effects)
      effects.removeAll()
      #expect(exchange.contradictions.isEmpty, "seed \(seed), after \(input): \(exchange.contradictions)")
      guard exchange.contradictions.isEmpty else { return }
    }
    try calm(&exchange, objects[1], blocks, now, seed)
  }

  private func input(_ chance: inout Chance, _ objects: [Object.Built], _ blocks: [Block], _ now: Instant) -> Exchange.Input {
    let peer = PeerID(simulated: chance.below(20))
    switch chance.below(12) {
    case 0:
      let providers = (0..<chance.below(4)).map { _ in PeerID(simulated: chance.below(20)) }
      let deadline = chance.happens(0.5) ? now + .seconds(Double(chance.below(60))) : nil
      return .want(root: objects[chance.below(3)].root, providers: providers, deadline: deadline)
    case 1: return chance.happens(0.2) ? .cancel(objects[chance.below(3)].root) : .added(blocks[chance.below(blocks.count)].cid)
    case 2: return .connected(peer)
    case 3: return .disconnected(peer)
    case 4: return .timerFired(.patience)
    case 5: return .timerFired(.service)
    default: break
    }
    var message = BitswapMessage()
    for _ in 0..<chance.below(6) {
      let block = blocks[chance.below(blocks.count)]
      switch chance.below(5) {
      case 0: message.blocks.append(block)
      case 1: message.blocks.append(Block(claimed: block.cid, bytes: chance.happens(0.9) ? block.bytes : [1, 2, 3]))
      case 2: message.presences.append(.init(block.cid, has: chance.happens(0.5)))
      default:
        let kind: BitswapMessage.Want.Kind = [.block, .have, .cancel][chance.below(3)]
        message.wants.append(.init(block.cid, kind, priority: Int32(chance.below(3)), sendDontHave: chance.happens(0.5)))
      }
    }
    message.isFull = chance.happens(0.05)
    return .received(from: peer, message)
  }

  /// Everything else is cancelled; one honest new peer answers at once, timers fire when they are due.
  private func calm(
    _ exchange: inout Exchange, _ object: Object.Built, _ blocks: [Block], _ start: Instant, _ seed: UInt64
  ) throws {
    var chance = Chance(seed: seed)
    var effects = Effects<Exchange.Effect>()
    var now = start
    for root in exchange.fetching { exchange.step(.cancel(root), at: now, chance: &chance, effects: &effects) }
    #expect(exchange.fetching.isEmpty && exchange.store.pinnedBytes == 0, "seed \(seed)")
    effects.removeAll()
    exchange.store.collectGarbage()
    let honest = PeerID(simulated: 99)
    exchange.step(.want(root: object.root, providers: [honest], deadline: nil), at: now, chance: &chance, effects: &effects)
    for _ in 0..<1_000 where !exchange.fetching.isEmpty {
      now = now + .milliseconds(10)
      for effect in effects.take() {
        guard case .send(honest, let message) = effect else { continue }
        let given = message.wants.filter { $0.kind == .block }.compactMap { want in blocks.first { $0.cid == want.cid } }
        exchange.step(.received(from: honest, BitswapMessage(blocks: given)), at: now, chance: &chance, effects: &effects)
      }
      if exchange.nextPatience <= now { exchange.step(.timerFired(.patience), at: now, chance: &chance, effects: &effects) }
    }
    #expect(exchange.store.holdsAll(of: object.root), "seed \(seed)")
    _ = try Object.read(object.root, from: exchange.store)
  }
}
